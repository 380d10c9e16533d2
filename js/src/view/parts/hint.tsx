import { useEffect, useRef } from "preact/hooks";

/** How long the pointer rests before a hint comes, in ms; another one follows at once for a while. */
const REST_MS = 350;
const AT_ONCE_MS = 400;
/** Between what a hint is about and the hint, and between it and the figure's edge, in pixels. */
const GAP = 6;
const EDGE = 8;

/**
 * One sentence about whatever carries `data-tip`, for the pointer, the keyboard and touch alike.
 * It can be pointed at, Escape takes it away, and assistive technology hears it as a description.
 */
export function Hint({ root }: { root: HTMLElement }) {
  const hint = useRef<HTMLDivElement>(null);
  const id = `${root.id}-hint`;
  useEffect(() => {
    if (!hint.current) return;
    const ending = new AbortController();
    followHints(root, hint.current, ending.signal);
    return () => ending.abort();
  }, [root]);
  return <div class="cw-tip cw-hint" id={id} role="tooltip" data-role="hint" ref={hint} hidden />;
}

function followHints(root: HTMLElement, hint: HTMLElement, ending: AbortSignal): void {
  let anchor: HTMLElement | null = null;
  /** What was pressed has been understood: its hint stays away until the pointer has left. */
  let pressed: HTMLElement | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hiddenAt = -AT_ONCE_MS;

  const about = (target: EventTarget | null): HTMLElement | null => {
    const found = target instanceof Element ? target.closest<HTMLElement>("[data-tip]") : null;
    return found && root.contains(found) && found.dataset.tip ? found : null;
  };
  const hide = () => {
    clearTimeout(timer);
    if (!anchor) return;
    anchor.removeAttribute("aria-describedby");
    anchor = null;
    hint.hidden = true;
    hiddenAt = performance.now();
    watcher.disconnect();
  };
  const show = (next: HTMLElement) => {
    if (next !== anchor) hide();
    anchor = next;
    hint.textContent = next.dataset.tip ?? "";
    hint.hidden = false;
    next.setAttribute("aria-describedby", hint.id);
    place(root, hint, next);
    watcher.observe(root, { childList: true, subtree: true, attributeFilter: ["data-tip"] });
  };
  const watcher = new MutationObserver(() => {
    if (!anchor?.isConnected || !anchor.dataset.tip) hide();
    else if (hint.textContent !== anchor.dataset.tip) show(anchor);
  });

  const listen = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
    capture = false,
  ) => root.addEventListener(type, listener, { signal: ending, capture });

  listen("pointerover", (event) => {
    if (event.pointerType === "touch" || hint.contains(event.target as Node)) return;
    const next = about(event.target);
    if (next !== pressed) pressed = null;
    if (next === anchor && anchor) return;
    clearTimeout(timer);
    if (!next) {
      // The pointer may be on its way to the hint.
      timer = setTimeout(hide, 150);
      return;
    }
    if (next === pressed) return;
    const soon = anchor !== null || performance.now() - hiddenAt < AT_ONCE_MS;
    timer = setTimeout(() => show(next), soon ? 60 : REST_MS);
  });
  listen("pointerleave", () => {
    pressed = null;
    hide();
  });
  listen("pointerdown", (event) => {
    if (hint.contains(event.target as Node)) return;
    pressed = about(event.target);
    hide();
  });
  listen("click", (event) => {
    const next = about(event.target);
    if (next?.classList.contains("cw-term")) show(next);
  });
  listen("focusin", (event) => {
    const target = event.target as HTMLElement;
    if (target.dataset.tip && target.matches(":focus-visible")) show(target);
  });
  listen("focusout", hide);
  listen("scroll", hide, true);
  listen(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || !anchor) return;
      // At a control, Escape goes back as well: there it is not for the hint alone.
      const term = anchor.classList.contains("cw-term");
      hide();
      if (!term) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
  ending.addEventListener("abort", hide);
}

/** Under what it is about, or over it where there is no room; never outside the figure. */
function place(root: HTMLElement, hint: HTMLElement, anchor: HTMLElement): void {
  const figure = root.getBoundingClientRect();
  const box = anchor.getBoundingClientRect();
  const most = figure.width - hint.offsetWidth - EDGE;
  const left = Math.max(EDGE, Math.min(box.left - figure.left, most));
  const below = box.bottom - figure.top + GAP;
  const above = box.top - figure.top - hint.offsetHeight - GAP;
  const fits = below + hint.offsetHeight <= figure.height - 2;
  hint.style.left = `${left}px`;
  hint.style.top = `${fits || above < 0 ? below : above}px`;
}
