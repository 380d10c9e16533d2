import type { Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Exploration } from "../state/exploration";
import { type Stop, stopsOf } from "../words/tour";

/** Around what is pointed at, and between it and the card, in pixels. */
const AROUND = 4;
const GAP = 10;
const CARD = 300;

interface Props {
  readonly exploration: Exploration;
  readonly root: HTMLElement;
  readonly open: Signal<boolean>;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A walk over the figure, one panel after the other; the rest of the figure waits meanwhile. */
export function Tour({ exploration, root, open }: Props) {
  const card = useRef<HTMLDivElement>(null);
  const next = useRef<HTMLButtonElement>(null);
  const [at, setAt] = useState(0);
  const [places, setPlaces] = useState<{ spot: Box; card: Pick<Box, "left" | "top"> } | null>(null);
  const [stops] = useState(() => stopsShown(exploration, root));
  const stop = stops[at];
  const last = at === stops.length - 1;
  const close = () => (open.value = false);
  const go = (to: number) => setAt(Math.max(0, Math.min(stops.length - 1, to)));

  // Asked while it is drawn: what is behind the tour loses the focus soon after.
  const [before] = useState(() => root.ownerDocument.activeElement as HTMLElement | null);
  const placed = places !== null;
  useEffect(() => {
    if (placed) next.current?.focus({ preventScroll: true });
  }, [placed]);
  useEffect(() => {
    return () => {
      // What it was opened from takes the keyboard back, once it can.
      const back =
        before && root.contains(before) ? before : root.querySelector("[data-role=tour]");
      setTimeout(() => (back as HTMLElement | null)?.focus({ preventScroll: true }));
    };
  }, [root, before]);

  useLayoutEffect(() => {
    if (!stop) return;
    const measure = () => {
      const target = root.querySelector(stop.selector);
      if (target && card.current) setPlaces(placesOf(root, target, card.current));
    };
    const target = root.querySelector(stop.selector);
    target?.scrollIntoView({ block: "nearest", inline: "nearest" });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(root);
    return () => observer.disconnect();
  }, [root, stop]);

  if (!stop) return null;
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape") close();
    else if (event.key === "ArrowRight") go(at + 1);
    else if (event.key === "ArrowLeft") go(at - 1);
    else if (event.key === "Tab") walk(event, card.current);
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="cw-tour" data-role="tour-shown">
      {places ? <div class="cw-spot" style={pixels(places.spot)} /> : null}
      <div
        class="cw-card"
        ref={card}
        role="dialog"
        onKeyDown={press}
        aria-modal="true"
        aria-labelledby={`${root.id}-tour-title`}
        aria-describedby={`${root.id}-tour-text`}
        style={places ? pixels(places.card) : { visibility: "hidden" }}
      >
        <div aria-live="polite">
          <h3 id={`${root.id}-tour-title`}>{stop.title}</h3>
          <p id={`${root.id}-tour-text`}>{stop.text}</p>
        </div>
        <div class="cw-card-foot">
          <span>
            {at + 1} of {stops.length}
          </span>
          <button type="button" data-role="tour-close" onClick={close}>
            close
          </button>
          <button
            type="button"
            data-role="tour-back"
            disabled={at === 0}
            onClick={() => go(at - 1)}
          >
            back
          </button>
          <button
            type="button"
            class="cw-primary"
            data-role="tour-next"
            ref={next}
            onClick={() => (last ? close() : go(at + 1))}
          >
            {last ? "done" : "next"}
          </button>
        </div>
      </div>
    </div>
  );
}

/** The stops whose panel is on screen now. */
function stopsShown(exploration: Exploration, root: HTMLElement): Stop[] {
  const contents = exploration.contents.value;
  const shown = {
    concepts: (contents?.concepts.length ?? 0) > 0,
    model: contents?.canParse ?? false,
    byDistance: exploration.colored.value === null,
    near: exploration.tabShown.value === "near",
  };
  return stopsOf(shown).filter(({ selector }) => root.querySelector(selector) !== null);
}

/** Where the light falls, and where the card stands: beside it, under or over it, or at its foot. */
function placesOf(root: HTMLElement, target: Element, card: HTMLElement) {
  const figure = root.getBoundingClientRect();
  const box = target.getBoundingClientRect();
  const left = Math.max(2, box.left - figure.left - AROUND);
  const top = Math.max(2, box.top - figure.top - AROUND);
  const right = Math.min(figure.width - 2, box.right - figure.left + AROUND);
  const bottom = Math.min(figure.height - 2, box.bottom - figure.top + AROUND);
  const spot = { left, top, width: right - left, height: bottom - top };
  const width = Math.min(CARD, figure.width - 2 * GAP);
  const height = card.offsetHeight;
  const across = Math.max(GAP, Math.min(left, figure.width - width - GAP));
  const down = Math.max(GAP, Math.min(top, figure.height - height - GAP));
  if (right + GAP + width < figure.width) return { spot, card: { left: right + GAP, top: down } };
  if (left - GAP - width > 0) return { spot, card: { left: left - GAP - width, top: down } };
  if (bottom + GAP + height < figure.height)
    return { spot, card: { left: across, top: bottom + GAP } };
  if (top - GAP - height > 0) return { spot, card: { left: across, top: top - GAP - height } };
  return { spot, card: { left: across, top: Math.max(GAP, bottom - height - GAP) } };
}

function pixels(box: Partial<Box>): Record<string, string> {
  return Object.fromEntries(Object.entries(box).map(([side, length]) => [side, `${length}px`]));
}

/** Keeps Tab within the card. */
function walk(event: KeyboardEvent, card: HTMLElement | null): void {
  const buttons = [...(card?.querySelectorAll<HTMLElement>("button:not(:disabled)") ?? [])];
  const at = buttons.indexOf(event.target as HTMLElement);
  const to = (at + (event.shiftKey ? -1 : 1) + buttons.length) % buttons.length;
  buttons[to]?.focus();
  event.preventDefault();
}
