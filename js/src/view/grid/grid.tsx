import { effect, type Signal, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Exploration } from "../../state/exploration";
import type { Picture } from "../../state/picture";
import { countText, distanceText, visibleText } from "../../words/text";
import { withoutSelecting } from "../parts/shiftclick";
import type { Tip } from "../parts/tooltip";
import { AxesFrame } from "./axes";
import { type Edges, GridCanvas } from "./canvas";
import { colorsOf, marksOf } from "./colors";
import { followLasso } from "./lasso";
import { Legend } from "./legend";
import { GridTools } from "./tools";
import { bringInSight, followZoom } from "./zooming";

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
  const path = useRef<SVGPathElement>(null);
  const drawn = useRef<GridCanvas | null>(null);
  const edges = useSignal<Edges | null>(null);
  const n = exploration.contents.value?.n ?? 0;
  const swaps = exploration.contents.value?.hasModel ? "Shift+Enter swaps, " : "";

  useEffect(() => {
    if (!frame.current || !cells.current || !marks.current || !path.current) return;
    const ending = new AbortController();
    const grid = new GridCanvas(cells.current, marks.current);
    drawn.current = grid;
    const parts = { frame: frame.current, cells: cells.current, grid, edges, tip, root };
    showPictures(exploration, parts, ending.signal);
    followLasso(exploration, { ...parts, path: path.current }, ending.signal);
    followZoom(exploration, cells.current, grid, ending.signal);
    followPointer(exploration, parts, ending.signal);
    followKeys(exploration, parts, ending.signal);
    followUse(exploration, parts, ending.signal);
    return () => {
      ending.abort();
      grid.clear();
    };
  }, [exploration, edges, tip, root]);

  return (
    <>
      <GridTools exploration={exploration} grid={drawn} root={root} />
      <AxesFrame
        exploration={exploration}
        edges={edges}
        below={<Legend exploration={exploration} />}
      >
        <div class="cw-cells" ref={frame}>
          <canvas
            ref={cells}
            data-role="grid"
            tabIndex={0}
            role="application"
            aria-roledescription="grid of examples"
            aria-label={`${countText(n)} examples. Arrow keys walk, Enter selects, ${swaps}plus and minus zoom, Escape goes back.`}
          />
          <canvas ref={marks} class="cw-marks" />
          <svg class="cw-lasso" aria-hidden="true">
            <path ref={path} />
          </svg>
        </div>
      </AxesFrame>
    </>
  );
}

interface Parts {
  readonly frame: HTMLElement;
  readonly cells: HTMLCanvasElement;
  readonly grid: GridCanvas;
  /** What the labels at the edges follow. */
  readonly edges: Signal<Edges | null>;
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
  let zoomed: unknown = null;
  const colors = colorsOf(exploration);
  const labelOf = (example: number) => exploration.labels.peek()?.at(example) ?? "";

  const stopPainting = effect(() => {
    const picture = exploration.picture.value;
    const { width, height } = size.value;
    if (!picture || width < 20 || height < 20) return;
    const zoom = exploration.display.zoom.value;
    const fitted = grid.fit(width, height, picture);
    if (fitted) cells.dataset.layout = JSON.stringify(grid.fitted);
    grid.paint(picture, colors(picture), zoom, labelOf);
    cells.classList.toggle("cw-zoomed", zoom.scale > 1);
    cells.classList.toggle("cw-points", picture.layout !== null);
    if (fitted || zoom !== zoomed) parts.edges.value = grid.edges;
    zoomed = zoom;
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
    if (!picture || !parts.edges.value) return;
    const accent = getComputedStyle(root).getPropertyValue("--cw-accent");
    grid.mark(picture, marksOf(exploration, picture), accent);
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
      if (picture) detail.rectangle = grid.cellOf(picture, detail.example);
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
    if (!picture) return null;
    const box = cells.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * cells.width;
    const y = ((event.clientY - box.top) / box.height) * cells.height;
    return grid.exampleAt(picture, x, y);
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
            title: visibleText(exploration.labels.value?.at(example) ?? `example ${example}`),
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
  /** Whether keys led to the cell that is previewed; what the pointer rests on, Escape passes. */
  let walked = false;
  const swapped = () => exploration.swaps.asked.value !== null;
  const press = (event: KeyboardEvent) => {
    const picture = exploration.picture.value;
    if (!picture || !grid.fitted || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = exploration.pointed.value ?? picture.selected;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const to = grid.stepFrom(picture, at, ...arrow);
      bringInSight(exploration, grid, to);
      exploration.point(to);
      walked = true;
    } else if (event.key === "Enter" || event.key === " ") {
      select(exploration, at, event);
    } else if (event.key === "Escape" && exploration.pointed.value !== null && !swapped()) {
      exploration.point(null);
      // The shortcut of the whole figure goes back.
      if (!walked) return;
      walked = false;
    } else return;
    cells.classList.remove("cw-clicked");
    event.preventDefault();
    event.stopPropagation();
  };
  cells.addEventListener("keydown", press, { signal: ending });
  cells.addEventListener("pointermove", () => (walked = false), { signal: ending });
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
