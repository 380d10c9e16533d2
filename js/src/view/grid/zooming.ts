import { enlarged, moved, showing, WHOLE, type Zoom } from "../../compute/zoom";
import type { Exploration } from "../../state/exploration";
import type { GridCanvas } from "./canvas";

/** Farther than this, in CSS pixels, a press is a drag and no click. */
export const DRAG = 4;
/** What one press of a button or a key enlarges by. */
const STEP = 1.5;

/** Enlarges the grid by a step, or with -1 makes it smaller again. */
export function zoomStep(exploration: Exploration, grid: GridCanvas, sign: 1 | -1): void {
  const { zoom } = exploration.display;
  if (!grid.fitted) return;
  const { x, y } = middle(exploration, grid);
  zoom.value = enlarged(zoom.value, STEP ** sign, grid.mostScale, x, y);
}

/** What a step keeps in its place: the cell under the keyboard's cursor or selected, if in sight. */
function middle(exploration: Exploration, grid: GridCanvas): { x: number; y: number } {
  const picture = exploration.picture.value;
  if (!picture) return { x: 0.5, y: 0.5 };
  const example = exploration.pointed.value ?? picture.selected;
  const { x, y, width, height } = shareOf(grid, grid.cellOf(picture, example));
  const [atX, atY] = [x + width / 2, y + height / 2];
  const seen = atX >= 0 && atX <= 1 && atY >= 0 && atY <= 1;
  return seen ? { x: atX, y: atY } : { x: 0.5, y: 0.5 };
}

/** Brings an example's cell in sight. */
export function bringInSight(exploration: Exploration, grid: GridCanvas, example: number): void {
  const picture = exploration.picture.value;
  const { zoom } = exploration.display;
  if (!picture || zoom.value.scale === 1) return;
  zoom.value = showing(zoom.value, shareOf(grid, grid.cellOf(picture, example)));
}

function shareOf(
  grid: GridCanvas,
  cell: { x: number; y: number; width: number; height: number },
): { x: number; y: number; width: number; height: number } {
  const { width, height } = grid.size;
  return {
    x: cell.x / width,
    y: cell.y / height,
    width: cell.width / width,
    height: cell.height / height,
  };
}

/**
 * The wheel with Ctrl or Cmd, which is also a pinch on a touchpad, and two fingers enlarge; a drag
 * moves. The plain wheel is the page's. At most one step a frame.
 */
export function followZoom(
  exploration: Exploration,
  cells: HTMLCanvasElement,
  grid: GridCanvas,
  ending: AbortSignal,
): void {
  const { zoom } = exploration.display;
  const pointers = new Map<number, { x: number; y: number }>();
  let next: Zoom | null = null;
  let frame = 0;
  let pressed: { x: number; y: number } | null = null;
  let dragged = false;

  const soon = (wanted: Zoom) => {
    next = wanted;
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (next) zoom.value = next;
      next = null;
    });
  };
  const now = () => next ?? zoom.value;
  const enlarge = (factor: number, clientX: number, clientY: number) => {
    if (!grid.fitted) return;
    const box = cells.getBoundingClientRect();
    const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    soon(enlarged(now(), factor, grid.mostScale, x, y));
  };
  const wheel = (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const delta = Math.max(-100, Math.min(100, event.deltaY * lines));
    enlarge(Math.exp(-delta / 200), event.clientX, event.clientY);
  };
  const down = (event: PointerEvent) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    pressed = pointers.size === 1 ? { x: event.clientX, y: event.clientY } : null;
    dragged = pointers.size > 1;
  };
  const move = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const here = { x: event.clientX, y: event.clientY };
    if (pointers.size === 2) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      if (!other) return;
      const apart = (at: typeof here) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
      enlarge(apart(here) / apart(before), (here.x + other.x) / 2, (here.y + other.y) / 2);
    } else if (now().scale > 1) {
      if (pressed && Math.hypot(here.x - pressed.x, here.y - pressed.y) < DRAG) return;
      if (!dragged) cells.setPointerCapture(event.pointerId);
      dragged = true;
      const box = cells.getBoundingClientRect();
      soon(moved(now(), (before.x - here.x) / box.width, (before.y - here.y) / box.height));
    }
    pointers.set(event.pointerId, here);
  };
  const up = (event: PointerEvent) => pointers.delete(event.pointerId);
  const click = (event: MouseEvent) => {
    // An assistant's click follows no press.
    if (dragged && event.detail > 0) event.stopImmediatePropagation();
    dragged = false;
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") zoomStep(exploration, grid, 1);
    else if (event.key === "-") zoomStep(exploration, grid, -1);
    else if (event.key === "0") zoom.value = WHOLE;
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  cells.addEventListener("wheel", wheel, { signal: ending, passive: false });
  cells.addEventListener("pointerdown", down, { signal: ending });
  cells.addEventListener("pointermove", move, { signal: ending });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
    cells.addEventListener(end, up, { signal: ending });
  }
  cells.addEventListener("click", click, { signal: ending, capture: true });
  cells.addEventListener("keydown", key, { signal: ending });
  ending.addEventListener("abort", () => cancelAnimationFrame(frame));
}
