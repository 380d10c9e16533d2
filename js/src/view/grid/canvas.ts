import type { Arrangement } from "../../compute/blocks";
import type { Coloring } from "../../compute/coloring";
import {
  cellOf,
  fitLattice,
  type Lattice,
  paintCells,
  type Rectangle,
} from "../../compute/lattice";

/** Examples to point out over the cells. */
export interface Marks {
  readonly selected: number;
  readonly neighbors: Uint32Array;
  /** Examples to make stand out in place of the neighbors. */
  readonly singled: Uint32Array | null;
  readonly pointed: number | null;
  /** The example whose vector is swapped in. */
  readonly donor: number | null;
}

const MOST_DOTS = 2000;
/** CSS pixels around the cells, for the outline of one at the edge. */
const MARGIN = 6;
const LEAST_CELL_FOR_DOTS = 3;

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d");
  if (!found) throw new Error("This browser gives no canvas to draw on.");
  return found;
}

/** Gives a canvas a size in device pixels. */
function resize(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): void {
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `${width / ratio}px`;
  canvas.style.height = `${height / ratio}px`;
}

/** The grid's two canvases: cells, and what is marked over them. Sizes are in device pixels. */
export class GridCanvas {
  readonly #cells: HTMLCanvasElement;
  readonly #marks: HTMLCanvasElement;
  #image: ImageData | null = null;
  #pixels = new Uint32Array(0);
  #lattice: Lattice | null = null;
  #fitted = "";

  constructor(cells: HTMLCanvasElement, marks: HTMLCanvasElement) {
    this.#cells = cells;
    this.#marks = marks;
  }

  get lattice(): Lattice | null {
    return this.#lattice;
  }

  /** Fits the lattice into `width` × `height` CSS pixels; returns whether it changed. */
  fit(width: number, height: number, arrangement: Arrangement): boolean {
    const { rows, columns, capacity } = arrangement.blocks;
    const ratio = window.devicePixelRatio || 1;
    const across = columns?.labels.length ?? 1;
    const down = rows?.labels.length ?? 1;
    const fitted = [width, height, ratio, across, down, capacity].join();
    if (fitted === this.#fitted) return false;
    this.#fitted = fitted;
    const gap = Math.round(across > 12 || width < 320 ? ratio : 2 * ratio);
    const space = [Math.floor(width * ratio), Math.floor(height * ratio)] as const;
    const lattice = fitLattice(...space, across, down, capacity, gap);
    this.#lattice = lattice;
    // The canvas fills its frame, whatever the lattice leaves over, so that it never moves.
    resize(this.#cells, ...space, ratio);
    const margin = MARGIN * ratio;
    resize(this.#marks, space[0] + 2 * margin, space[1] + 2 * margin, ratio);
    this.#marks.style.left = `${-MARGIN}px`;
    this.#marks.style.top = `${-MARGIN}px`;
    this.#image = new ImageData(lattice.width, lattice.height);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
    return true;
  }

  paint(arrangement: Arrangement, coloring: Coloring): void {
    if (!this.#lattice || !this.#image) return;
    paintCells(this.#pixels, this.#lattice, arrangement, coloring.indexes, coloring.table);
    context(this.#cells).putImageData(this.#image, 0, 0);
  }

  mark(arrangement: Arrangement, marks: Marks, accent: string): void {
    const lattice = this.#lattice;
    if (!lattice) return;
    const pen = context(this.#marks);
    const margin = MARGIN * (window.devicePixelRatio || 1);
    pen.setTransform(1, 0, 0, 1, margin, margin);
    pen.clearRect(-margin, -margin, this.#marks.width, this.#marks.height);
    const cellSize = Math.min(lattice.cellWidth, lattice.cellHeight);
    if (marks.singled) {
      this.#fill(pen, arrangement, marks.singled, accent);
    } else if (lattice.perCell === 1 && cellSize >= LEAST_CELL_FOR_DOTS) {
      pen.fillStyle = accent;
      const dot = Math.max(1, Math.round(cellSize / 3));
      for (const neighbor of marks.neighbors.subarray(0, MOST_DOTS)) {
        const cell = cellOf(lattice, arrangement, neighbor);
        const x = cell.x + Math.floor((cell.width - dot) / 2);
        const y = cell.y + Math.floor((cell.height - dot) / 2);
        pen.fillRect(x, y, dot, dot);
      }
    }
    this.#outline(pen, cellOf(lattice, arrangement, marks.selected), accent);
    if (marks.donor !== null) {
      this.#dashes(pen, cellOf(lattice, arrangement, marks.donor), accent);
    }
    if (marks.pointed !== null && marks.pointed !== marks.selected) {
      this.#outline(pen, cellOf(lattice, arrangement, marks.pointed), "#000");
    }
  }

  /** Whole cells in a color, on white so that they stand out from every other. */
  #fill(
    pen: CanvasRenderingContext2D,
    arrangement: Arrangement,
    examples: Uint32Array,
    color: string,
  ): void {
    const lattice = this.#lattice;
    if (!lattice) return;
    const ratio = Math.round(window.devicePixelRatio || 1);
    for (const [style, margin] of [
      ["#fff", ratio],
      [color, 0],
    ] as const) {
      pen.fillStyle = style;
      for (const example of examples.subarray(0, MOST_DOTS)) {
        const { x, y, width, height } = cellOf(lattice, arrangement, example);
        pen.fillRect(x - margin, y - margin, width + 2 * margin, height + 2 * margin);
      }
    }
  }

  /** A frame around a cell, with a white one around it so that it shows on every color. */
  #outline(pen: CanvasRenderingContext2D, cell: Rectangle, color: string): void {
    const line = Math.max(1, Math.round(2 * (window.devicePixelRatio || 1)));
    const frames: readonly [string, number][] = [
      ["#fff", 2 * line],
      [color, line],
    ];
    for (const [style, margin] of frames) {
      pen.strokeStyle = style;
      pen.lineWidth = line;
      pen.strokeRect(
        cell.x - margin + line / 2,
        cell.y - margin + line / 2,
        cell.width + 2 * margin - line,
        cell.height + 2 * margin - line,
      );
    }
  }

  /** A wider frame of dashes, at its corners and between them, on white. */
  #dashes(pen: CanvasRenderingContext2D, cell: Rectangle, color: string): void {
    const line = Math.max(1, Math.round(2 * (window.devicePixelRatio || 1)));
    const [left, top] = [cell.x - 1.5 * line, cell.y - 1.5 * line];
    const [width, height] = [cell.width + 3 * line, cell.height + 3 * line];
    pen.lineWidth = 3 * line;
    pen.strokeStyle = "#fff";
    pen.strokeRect(left, top, width, height);
    pen.lineWidth = line;
    pen.strokeStyle = color;
    for (const [side, x, y, dx, dy] of [
      [width, left, top, 1, 0],
      [width, left, top + height, 1, 0],
      [height, left, top, 0, 1],
      [height, left + width, top, 0, 1],
    ] as const) {
      pen.setLineDash([side / 4, side / 4]);
      pen.lineDashOffset = side / 8;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x + dx * side, y + dy * side);
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  /** Frees the memory of both canvases. */
  clear(): void {
    for (const canvas of [this.#cells, this.#marks]) {
      canvas.width = 0;
      canvas.height = 0;
    }
  }
}
