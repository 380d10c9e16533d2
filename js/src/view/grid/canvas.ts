import type { Arrangement } from "../../compute/blocks";
import type { Edge } from "../../compute/edges";
import {
  type CellColors,
  fitLattice,
  type Lattice,
  paintCells,
  paintPart,
  type Rectangle,
} from "../../compute/lattice";
import { cellInSight, exampleInSight, type Sight, WHOLE, type Zoom } from "../../compute/zoom";
import { writeLabels } from "./celllabels";

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

export interface Edges {
  readonly across: Edge;
  readonly down: Edge;
  /** Of the whole grid, where nothing is enlarged. */
  readonly width: number;
}

const MOST_DOTS = 2000;
/** CSS pixels around the cells, for the outline of one at the edge. */
export const MARGIN = 6;
const LEAST_CELL_FOR_DOTS = 3;
/** In CSS pixels. */
const LARGEST_DOT = 6;

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
  /** Device pixels for a CSS pixel. */
  #ratio = 1;
  /** How much larger than on the screen: in a copy. */
  #times = 1;
  #lattice: Lattice | null = null;
  /** The same with a cell for each example, where those of the whole are shared; and how much larger. */
  #finer: { readonly lattice: Lattice; readonly by: number } | null = null;
  #fitted = "";
  #zoom: Zoom = WHOLE;
  #image: ImageData | null = null;
  #pixels = new Uint32Array(0);

  constructor(cells: HTMLCanvasElement, marks: HTMLCanvasElement) {
    this.#cells = cells;
    this.#marks = marks;
  }

  /** The lattice of the whole grid. */
  get lattice(): Lattice | null {
    return this.#lattice;
  }

  get ratio(): number {
    return this.#ratio;
  }

  /** Of the cells' canvas, in device pixels. */
  get size(): { readonly width: number; readonly height: number } {
    return this.#cells;
  }

  /** What is in sight, or null before the first picture. */
  get sight(): Sight | null {
    const { scale, x, y } = this.#zoom;
    if (!this.#lattice) return null;
    const times = this.#times;
    const [left, top] = [(x * this.#cells.width) / times, (y * this.#cells.height) / times];
    const finer = this.#finer;
    if (!finer || scale < finer.by) {
      return { lattice: this.#lattice, scale: scale * times, x: left, y: top };
    }
    const { lattice, by } = finer;
    return { lattice, scale: (scale * times) / by, x: left * by, y: top * by };
  }

  /** What the labels at the edges follow. */
  get edges(): Edges | null {
    const { sight } = this;
    if (!sight || !this.#lattice) return null;
    const { lattice, x, y } = sight;
    const scale = sight.scale / this.#ratio;
    const { width, height } = this.#cells;
    return {
      across: { pitch: lattice.pitchX * scale, from: x * scale, extent: width / this.#ratio },
      down: { pitch: lattice.pitchY * scale, from: y * scale, extent: height / this.#ratio },
      width: this.#lattice.width / this.#ratio,
    };
  }

  /**
   * Fits the lattice into `width` × `height` CSS pixels; returns whether it changed.
   * @param ratio device pixels for a CSS pixel
   */
  fit(
    width: number,
    height: number,
    arrangement: Arrangement,
    ratio = window.devicePixelRatio || 1,
  ): boolean {
    const { rows, columns, capacity } = arrangement.blocks;
    const across = columns?.labels.length ?? 1;
    const down = rows?.labels.length ?? 1;
    const fitted = [width, height, ratio, across, down, capacity].join();
    if (fitted === this.#fitted) return false;
    this.#fitted = fitted;
    this.#ratio = ratio;
    const gap = Math.round(across > 12 || width < 320 ? ratio : 2 * ratio);
    const space = [Math.floor(width * ratio), Math.floor(height * ratio)] as const;
    const lattice = fitLattice(...space, across, down, capacity, gap);
    this.#lattice = lattice;
    const by = Math.ceil(2 * Math.sqrt(lattice.perCell));
    this.#finer =
      lattice.perCell > 1
        ? {
            lattice: fitLattice(space[0] * by, space[1] * by, across, down, capacity, gap * by),
            by,
          }
        : null;
    // The canvas fills its frame, whatever the lattice leaves over, so that it never moves.
    resize(this.#cells, ...space, ratio);
    const margin = MARGIN * ratio;
    resize(this.#marks, space[0] + 2 * margin, space[1] + 2 * margin, ratio);
    this.#marks.style.left = `${-MARGIN}px`;
    this.#marks.style.top = `${-MARGIN}px`;
    this.#image = null;
    return true;
  }

  /**
   * Draws the cells that are in sight.
   * @param labelOf what is written in cells that are large enough
   */
  paint(
    arrangement: Arrangement,
    colors: CellColors,
    zoom: Zoom,
    labelOf: (example: number) => string,
  ): void {
    this.#zoom = zoom;
    const { sight } = this;
    if (!this.#lattice || !sight) return;
    const whole = zoom.scale === 1 && this.#times === 1;
    const { width, height } = whole ? this.#lattice : this.#cells;
    const pen = context(this.#cells);
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(width, height);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
      pen.clearRect(0, 0, this.#cells.width, this.#cells.height);
    }
    if (whole) paintCells(this.#pixels, this.#lattice, arrangement, colors);
    else paintPart(this.#pixels, width, sight, arrangement, colors);
    pen.putImageData(this.#image, 0, 0);
    if (zoom.scale > 1) writeLabels(pen, sight, arrangement, colors, labelOf, this.#ratio);
  }

  /** The example at a pixel, or null between cells. */
  exampleAt(arrangement: Arrangement, x: number, y: number): number | null {
    return this.sight && exampleInSight(this.sight, arrangement, x, y);
  }

  /** Where an example's cell is, perhaps out of sight. */
  cellOf(arrangement: Arrangement, example: number): Rectangle {
    return this.sight
      ? cellInSight(this.sight, arrangement, example)
      : { x: 0, y: 0, width: 0, height: 0 };
  }

  mark(arrangement: Arrangement, marks: Marks, accent: string): void {
    const { sight } = this;
    if (!sight) return;
    const { lattice, scale } = sight;
    const pen = context(this.#marks);
    const margin = MARGIN * this.#ratio;
    pen.setTransform(1, 0, 0, 1, margin, margin);
    pen.clearRect(-margin, -margin, this.#marks.width, this.#marks.height);
    const cellSize = scale * Math.min(lattice.cellWidth, lattice.cellHeight);
    if (marks.singled) {
      this.#fill(pen, arrangement, marks.singled, accent);
    } else if (lattice.perCell === 1 && cellSize >= LEAST_CELL_FOR_DOTS) {
      pen.fillStyle = accent;
      const dot = Math.max(1, Math.round(Math.min(cellSize / 3, LARGEST_DOT * this.#ratio)));
      for (const neighbor of marks.neighbors.subarray(0, MOST_DOTS)) {
        const cell = this.cellOf(arrangement, neighbor);
        // In the middle, or in the corner of a cell that has room for its label.
        const x = cell.x + Math.min(2 * dot, Math.floor((cell.width - dot) / 2));
        const y = cell.y + Math.min(2 * dot, Math.floor((cell.height - dot) / 2));
        pen.fillRect(x, y, dot, dot);
      }
    }
    this.#outline(pen, this.cellOf(arrangement, marks.selected), accent);
    if (marks.donor !== null) {
      this.#dashes(pen, this.cellOf(arrangement, marks.donor), accent);
    }
    if (marks.pointed !== null && marks.pointed !== marks.selected) {
      this.#outline(pen, this.cellOf(arrangement, marks.pointed), "#000");
    }
  }

  /** Whole cells in a color, on white so that they stand out from every other. */
  #fill(
    pen: CanvasRenderingContext2D,
    arrangement: Arrangement,
    examples: Uint32Array,
    color: string,
  ): void {
    const ratio = Math.round(this.#ratio);
    for (const [style, margin] of [
      ["#fff", ratio],
      [color, 0],
    ] as const) {
      pen.fillStyle = style;
      for (const example of examples.subarray(0, MOST_DOTS)) {
        const { x, y, width, height } = this.cellOf(arrangement, example);
        pen.fillRect(x - margin, y - margin, width + 2 * margin, height + 2 * margin);
      }
    }
  }

  /** A frame around a cell, with a white one around it so that it shows on every color. */
  #outline(pen: CanvasRenderingContext2D, cell: Rectangle, color: string): void {
    const line = Math.max(1, Math.round(2 * this.#ratio));
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
    const line = Math.max(1, Math.round(2 * this.#ratio));
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

  /** The same off screen, so many times as large; it has to be painted. */
  copy(times: number): GridCanvas {
    const made = new GridCanvas(document.createElement("canvas"), document.createElement("canvas"));
    const { width, height } = this.#cells;
    made.#lattice = this.#lattice;
    made.#finer = this.#finer;
    made.#ratio = this.#ratio * times;
    made.#times = times;
    const margin = MARGIN * made.#ratio;
    resize(made.#cells, Math.round(width * times), Math.round(height * times), made.#ratio);
    resize(
      made.#marks,
      made.#cells.width + 2 * margin,
      made.#cells.height + 2 * margin,
      made.#ratio,
    );
    return made;
  }

  /** Cells and marks in one, with the margin around them. */
  together(): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = this.#marks.width;
    canvas.height = this.#marks.height;
    const margin = MARGIN * this.#ratio;
    const pen = context(canvas);
    pen.drawImage(this.#cells, margin, margin);
    pen.drawImage(this.#marks, 0, 0);
    return canvas;
  }

  /** Frees the memory of both canvases. */
  clear(): void {
    for (const canvas of [this.#cells, this.#marks]) {
      canvas.width = 0;
      canvas.height = 0;
    }
  }
}
