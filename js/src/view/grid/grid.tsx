import { effect, type Signal, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Coloring, coloringByConcept, coloringByDistance } from "../../compute/coloring";
import { nearest } from "../../compute/distances";
import { cellOf, exampleAt, type Lattice, stepFrom } from "../../compute/lattice";
import type { Exploration } from "../../state/exploration";
import type { Picture } from "../../state/picture";
import { countText, distanceText } from "../../words/text";
import { withoutSelecting } from "../parts/shiftclick";
import type { Tip } from "../parts/tooltip";
import { AxesFrame } from "./axes";
import { GridCanvas } from "./canvas";
import { Legend } from "./legend";

/** The `detail` of a `clusterwidget:painted` event. */
export interface Painted {
  readonly selected: number;
  readonly stage: string;
  /** From the click, key or message to the drawn canvas. */
  readonly ms: number;
}

/** The `detail` of a `clusterwidget:locate` event: ask with `example`, read `rectangle`. */
export interface Locate {
  readonly example: number;
  /** Set while the event is dispatched: the example's cell, in device pixels of the canvas. */
  rectangle?: { x: number; y: number; width: number; height: number };
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Props {
  readonly exploration: Exploration;
  readonly tip: Signal<Tip | null>;
  readonly root: HTMLElement;
}

/** One cell per example, on a canvas. */
export function Grid({ exploration, tip, root }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const cells = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const lattice = useSignal<Lattice | null>(null);
  const n = exploration.contents.value?.n ?? 0;
  const swaps = exploration.contents.value?.hasModel ? "Shift+Enter swaps, " : "";

  useEffect(() => {
    if (!frame.current || !cells.current || !marks.current) return;
    const ending = new AbortController();
    const grid = new GridCanvas(cells.current, marks.current);
    const parts = { frame: frame.current, cells: cells.current, grid, lattice, tip, root };
    showPictures(exploration, parts, ending.signal);
    followPointer(exploration, parts, ending.signal);
    followKeys(exploration, parts, ending.signal);
    followUse(exploration, parts, ending.signal);
    return () => {
      ending.abort();
      grid.clear();
    };
  }, [exploration, lattice, tip, root]);

  return (
    <AxesFrame
      exploration={exploration}
      lattice={lattice}
      below={<Legend exploration={exploration} />}
    >
      <div class="cw-cells" ref={frame}>
        <canvas
          ref={cells}
          data-role="grid"
          tabIndex={0}
          role="application"
          aria-roledescription="grid of examples"
          aria-label={`${countText(n)} examples. Arrow keys walk, Enter selects, ${swaps}Escape goes back.`}
        />
        <canvas ref={marks} class="cw-marks" />
      </div>
    </AxesFrame>
  );
}

interface Parts {
  readonly frame: HTMLElement;
  readonly cells: HTMLCanvasElement;
  readonly grid: GridCanvas;
  readonly lattice: Signal<Lattice | null>;
  readonly tip: Signal<Tip | null>;
  readonly root: HTMLElement;
}

/** Draws the picture whenever it, its size or its colors change, and tells who listens. */
function showPictures(exploration: Exploration, parts: Parts, ending: AbortSignal): void {
  const { frame, cells, grid, root } = parts;
  const size = signal({ width: 0, height: 0 });
  const observer = new ResizeObserver(([entry]) => {
    const box = entry?.contentRect;
    if (box) size.value = { width: Math.floor(box.width), height: Math.floor(box.height) };
  });
  observer.observe(frame);
  let painted: Picture | null = null;
  let revision = 0;
  let memo: { concept: unknown; coloring: Coloring } | null = null;

  const coloring = (picture: Picture): Coloring => {
    const concept = exploration.colored.value;
    if (!concept) {
      return coloringByDistance((exploration.preview.value ?? picture.ranked).indexes);
    }
    if (memo?.concept !== concept) memo = { concept, coloring: coloringByConcept(concept) };
    return memo.coloring;
  };

  const stopPainting = effect(() => {
    const picture = exploration.picture.value;
    const { width, height } = size.value;
    if (!picture || width < 20 || height < 20) return;
    if (grid.fit(width, height, picture.arrangement)) {
      parts.lattice.value = grid.lattice;
      cells.dataset.layout = JSON.stringify(grid.lattice);
    }
    grid.paint(picture.arrangement, coloring(picture));
    if (picture === painted) return;
    painted = picture;
    const detail: Painted = {
      selected: picture.selected,
      stage: picture.stage,
      ms: performance.now() - picture.started,
    };
    root.dataset.paintedSelected = String(detail.selected);
    root.dataset.paintedStage = detail.stage;
    root.dataset.paintedRevision = String(++revision);
    root.dispatchEvent(new CustomEvent("clusterwidget:painted", { detail, bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => exploration.settle(picture)));
  });
  const stopMarking = effect(() => {
    const picture = exploration.picture.value;
    if (!picture || !parts.lattice.value) return;
    const marked = {
      selected: picture.selected,
      neighbors: nearest(picture.ranked.order, picture.selected, exploration.k.value),
      singled: exploration.knowledge.marked.value,
      pointed: exploration.pointed.value,
      donor: exploration.swaps.asked.value?.donor ?? null,
    };
    grid.mark(picture.arrangement, marked, getComputedStyle(root).getPropertyValue("--cw-accent"));
  });
  ending.addEventListener("abort", () => {
    observer.disconnect();
    stopPainting();
    stopMarking();
  });
  cells.addEventListener(
    "clusterwidget:locate",
    (event) => {
      const detail = (event as CustomEvent<Locate>).detail;
      const picture = exploration.picture.value;
      if (picture && grid.lattice) {
        detail.rectangle = cellOf(grid.lattice, picture.arrangement, detail.example);
      }
    },
    { signal: ending },
  );
}

/** Shows the distances from the example under the pointer, at most once a frame; a click selects it. */
function followPointer(exploration: Exploration, parts: Parts, ending: AbortSignal): void {
  const { cells, grid, tip, root } = parts;
  let latest: PointerEvent | null = null;
  let frame = 0;
  /** What the press began on; the picture may change before it ends. */
  let pressed: number | null = null;

  const exampleUnder = (event: MouseEvent): number | null => {
    const picture = exploration.picture.value;
    if (!picture || !grid.lattice) return null;
    const box = cells.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * cells.width;
    const y = ((event.clientY - box.top) / box.height) * cells.height;
    return exampleAt(grid.lattice, picture.arrangement, x, y);
  };
  const leave = () => {
    latest = null;
    exploration.point(null);
    tip.value = null;
  };
  const show = () => {
    frame = 0;
    const picture = exploration.picture.value;
    if (!latest || !picture) return;
    const example = exampleUnder(latest);
    if (example !== exploration.pointed.value) exploration.point(example);
    const box = root.getBoundingClientRect();
    const distance = picture.ranked.distances[example ?? -1] ?? 0;
    tip.value =
      example === null
        ? null
        : {
            x: latest.clientX - box.left,
            y: latest.clientY - box.top,
            title: exploration.labels.value?.at(example) ?? `example ${example}`,
            detail:
              example === picture.selected ? "selected" : `distance ${distanceText(distance)}`,
          };
  };
  const move = (event: PointerEvent) => {
    latest = event;
    if (frame === 0) frame = requestAnimationFrame(show);
  };
  const down = (event: PointerEvent) => {
    pressed = exampleUnder(event);
  };
  const click = (event: MouseEvent) => {
    // A click without a press is an assistant's.
    const example = event.detail > 0 ? pressed : exampleUnder(event);
    if (example === null) return;
    latest = null;
    tip.value = null;
    select(exploration, example, event);
  };
  cells.addEventListener("pointermove", move, { signal: ending });
  cells.addEventListener("pointerleave", leave, { signal: ending });
  const press = (event: MouseEvent) => {
    withoutSelecting(event);
    // With Shift held, a browser takes a click for the keyboard's doing, and shows the focus.
    cells.classList.add("cw-clicked");
  };
  cells.addEventListener("mousedown", press, { signal: ending });
  cells.addEventListener("pointerdown", down, { signal: ending });
  cells.addEventListener("click", click, { signal: ending });
  ending.addEventListener("abort", () => cancelAnimationFrame(frame));
}

/** Selects an example, or with Shift swaps it in. */
function select(exploration: Exploration, example: number, event: MouseEvent | KeyboardEvent) {
  const picture = exploration.picture.value;
  if (event.shiftKey && picture) void exploration.swaps.swap(example, picture, event.timeStamp);
  else exploration.go({ selected: example }, event.timeStamp);
}

/** Arrow keys walk from cell to cell, Enter selects, Escape leaves. */
function followKeys(exploration: Exploration, parts: Parts, ending: AbortSignal): void {
  const { cells, grid } = parts;
  const swapped = () => exploration.swaps.asked.value !== null;
  const press = (event: KeyboardEvent) => {
    const picture = exploration.picture.value;
    if (!picture || !grid.lattice || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = exploration.pointed.value ?? picture.selected;
    const arrow = ARROWS[event.key];
    if (arrow) exploration.point(stepFrom(grid.lattice, picture.arrangement, at, ...arrow));
    else if (event.key === "Enter" || event.key === " ") {
      select(exploration, at, event);
    } else if (event.key === "Escape" && exploration.pointed.value !== null && !swapped()) {
      exploration.point(null);
    } else return;
    cells.classList.remove("cw-clicked");
    event.preventDefault();
    event.stopPropagation();
  };
  cells.addEventListener("keydown", press, { signal: ending });
  const blur = () => {
    cells.classList.remove("cw-clicked");
    exploration.point(null);
  };
  cells.addEventListener("blur", blur, { signal: ending });
}

/** Knows whether the pointer or the focus is in the grid. */
function followUse(exploration: Exploration, { cells, root }: Parts, ending: AbortSignal): void {
  const tell = () => {
    exploration.guide.inUse.value =
      cells.matches(":hover") || cells === root.ownerDocument.activeElement;
  };
  // A pointer that rested here before the grid was drawn enters it without a move.
  for (const type of ["pointerenter", "pointerleave", "pointercancel", "focus", "blur"]) {
    cells.addEventListener(type, () => queueMicrotask(tell), { signal: ending });
  }
  ending.addEventListener("abort", () => (exploration.guide.inUse.value = false));
}
