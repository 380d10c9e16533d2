import type { Exploration } from "../../state/exploration";
import type { GridCanvas } from "./canvas";
import { DRAG } from "./zooming";

/** A corner is kept once the pointer has come so far from the last one, in CSS pixels. */
const STEP = 3;

interface Parts {
  readonly cells: HTMLCanvasElement;
  readonly grid: GridCanvas;
  /** What shows the lasso while it is drawn. */
  readonly path: SVGPathElement;
}

/**
 * On the map, a drag with Shift, or with the lasso button pressed, chooses the examples that it goes
 * around; what it takes from the pointer, neither zoom nor clicks see.
 */
export function followLasso(exploration: Exploration, parts: Parts, ending: AbortSignal): void {
  const { cells, grid, path } = parts;
  const { display } = exploration;
  let pointer: number | null = null;
  let corners: number[] = [];
  let drawing = false;
  /** The click that ends a lasso selects nothing. */
  let clicked = false;

  const at = (event: PointerEvent): [number, number] => {
    const box = cells.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const stop = () => {
    pointer = null;
    drawing = false;
    corners = [];
    path.setAttribute("d", "");
  };
  const down = (event: PointerEvent) => {
    clicked = false;
    // A second finger zooms.
    if (pointer !== null) return stop();
    const wanted = event.shiftKey || display.lassoing.value;
    if (!wanted || event.button !== 0 || !exploration.picture.value?.layout) return;
    pointer = event.pointerId;
    corners = at(event);
  };
  const move = (event: PointerEvent) => {
    if (event.pointerId !== pointer) return;
    const [x, y] = at(event);
    const [lastX = x, lastY = y] = corners.slice(-2);
    const apart = Math.hypot(x - lastX, y - lastY);
    if (!drawing && apart < DRAG) return;
    event.stopImmediatePropagation();
    if (!drawing) {
      drawing = true;
      cells.setPointerCapture(event.pointerId);
      exploration.point(null);
    }
    if (apart < STEP) return;
    corners.push(x, y);
    path.setAttribute("d", pathOf(corners));
  };
  const up = (event: PointerEvent) => {
    if (event.pointerId !== pointer) return;
    const drawn = drawing ? corners : [];
    clicked = drawing;
    stop();
    if (drawn.length >= 6) exploration.choose(grid.examplesWithin(drawn));
  };
  const click = (event: MouseEvent) => {
    if (clicked && event.detail > 0) event.stopImmediatePropagation();
    clicked = false;
  };
  cells.addEventListener("pointerdown", down, { signal: ending });
  cells.addEventListener("pointermove", move, { signal: ending });
  cells.addEventListener("pointerup", up, { signal: ending });
  cells.addEventListener("pointercancel", stop, { signal: ending });
  cells.addEventListener("click", click, { signal: ending, capture: true });
}

function pathOf(corners: readonly number[]): string {
  let text = "";
  for (let i = 0; i < corners.length; i += 2)
    text += `${i ? "L" : "M"}${corners[i]} ${corners[i + 1]}`;
  return `${text}Z`;
}
