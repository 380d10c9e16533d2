import type { Arrangement } from "../../compute/blocks";
import {
  type Cloud,
  type CloudSight,
  cloudOf,
  pointAt,
  pointSize,
  pointsWithin,
  stepInCloud,
} from "../../compute/cloud";
import { paintCloud } from "../../compute/cloudpaint";
import { packed } from "../../compute/color";
import type { Edge } from "../../compute/edges";
import {
  type CellColors,
  fitLattice,
  type Lattice,
  paintCells,
  paintPart,
  type Rectangle,
  stepFrom,
} from "../../compute/lattice";
import {
  cellInSight,
  exampleInSight,
  mostScale,
  type Sight,
  WHOLE,
  type Zoom,
} from "../../compute/zoom";
import type { Layout } from "../../data/layout";
import { writeLabels } from "./celllabels";
import { dashes, fillCells, outline } from "./marks";

/** Where examples are: in cells, or where there is a layout as points. */
export interface Placed {
  readonly arrangement: Arrangement;
  readonly layout: Layout | null;
}

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

/** The colors, and which examples are drawn over others: the first; null for none. */
export interface GridColors extends CellColors {
  readonly order: Uint32Array | null;
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
/** Under the points of a map: every color of a palette stands out from it. */
const GROUND = "#5c616c";
/** The most that a map can be enlarged. */
const MOST_SCALE = 2000;
/** A ring around a point is at least so wide inside, in CSS pixels. */
const LEAST_RING = 5;

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
  /** The points, where there is a layout. */
  #cloud: Cloud | null = null;
  #laid: Layout | null = null;
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

  /** Of the whole grid, in device pixels, and whether its examples are points; null before it is drawn. */
  get fitted(): object | null {
    const { width, height } = this.#cells;
    return this.#cloud ? { width, height, points: true } : this.#lattice;
  }

  /** The most that it can be enlarged. */
  get mostScale(): number {
    if (this.#cloud) return MOST_SCALE;
    return this.#lattice ? mostScale(this.#lattice, this.#ratio) : 1;
  }

  get ratio(): number {
    return this.#ratio;
  }

  /** Of the cells' canvas, in device pixels. */
  get size(): { readonly width: number; readonly height: number } {
    return this.#cells;
  }

  /** The points in sight, or null where there are cells. */
  get #points(): CloudSight | null {
    const cloud = this.#cloud;
    if (!cloud) return null;
    const { scale, x, y } = this.#zoom;
    return {
      cloud,
      scale: scale * this.#times,
      x: x * cloud.width,
      y: y * cloud.height,
      size: pointSize(cloud, scale, this.#ratio / this.#times, this.#times),
    };
  }

  /** The cells in sight, or null where there are none. */
  get sight(): Sight | null {
    const { scale, x, y } = this.#zoom;
    if (!this.#lattice || this.#cloud) return null;
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
    const { width, height } = this.#cells;
    if (this.#cloud) {
      const edge = (extent: number) => ({ pitch: extent, from: 0, extent });
      const [across, down] = [width / this.#ratio, height / this.#ratio];
      return { across: edge(across), down: edge(down), width: across };
    }
    if (!sight || !this.#lattice) return null;
    const { lattice, x, y } = sight;
    const scale = sight.scale / this.#ratio;
    return {
      across: { pitch: lattice.pitchX * scale, from: x * scale, extent: width / this.#ratio },
      down: { pitch: lattice.pitchY * scale, from: y * scale, extent: height / this.#ratio },
      width: this.#lattice.width / this.#ratio,
    };
  }

  /**
   * Fits the cells or points into `width` × `height` CSS pixels; returns whether it changed.
   * @param ratio device pixels for a CSS pixel
   */
  fit(
    width: number,
    height: number,
    { arrangement, layout }: Placed,
    ratio = window.devicePixelRatio || 1,
  ): boolean {
    const other = layout !== this.#laid;
    this.#laid = layout;
    const { rows, columns, capacity } = arrangement.blocks;
    const across = columns?.labels.length ?? 1;
    const down = rows?.labels.length ?? 1;
    const fitted = [width, height, ratio, across, down, capacity].join();
    if (fitted === this.#fitted && !other) return false;
    this.#fitted = fitted;
    this.#ratio = ratio;
    const gap = Math.round(across > 12 || width < 320 ? ratio : 2 * ratio);
    const space = [Math.floor(width * ratio), Math.floor(height * ratio)] as const;
    this.#cloud = layout && cloudOf(layout.points, ...space, ratio);
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
    { arrangement }: Placed,
    colors: GridColors,
    zoom: Zoom,
    labelOf: (example: number) => string,
  ): void {
    this.#zoom = zoom;
    const { sight } = this;
    const points = this.#points;
    if (!this.#lattice || (!sight && !points)) return;
    const whole = zoom.scale === 1 && this.#times === 1 && !points;
    const { width, height } = whole ? this.#lattice : this.#cells;
    const pen = context(this.#cells);
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(width, height);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
      pen.clearRect(0, 0, this.#cells.width, this.#cells.height);
    }
    if (points) paintCloud(this.#pixels, width, points, colors, colors.order, packed(GROUND));
    else if (whole) paintCells(this.#pixels, this.#lattice, arrangement, colors);
    else if (sight) paintPart(this.#pixels, width, sight, arrangement, colors);
    pen.putImageData(this.#image, 0, 0);
    if (zoom.scale > 1 && sight) writeLabels(pen, sight, arrangement, colors, labelOf, this.#ratio);
  }

  /** The example at a pixel, or null between cells. */
  exampleAt({ arrangement }: Placed, x: number, y: number): number | null {
    const points = this.#points;
    if (points) return pointAt(points, x, y, this.#ratio);
    return this.sight && exampleInSight(this.sight, arrangement, x, y);
  }

  /** Where an example's cell is, perhaps out of sight. */
  cellOf({ arrangement }: Placed, example: number): Rectangle {
    const points = this.#points;
    if (points) {
      const { cloud, scale, x, y, size } = points;
      const left = Math.round(((cloud.xs[example] as number) - x) * scale - size / 2);
      const top = Math.round(((cloud.ys[example] as number) - y) * scale - size / 2);
      return { x: left, y: top, width: size, height: size };
    }
    return this.sight
      ? cellInSight(this.sight, arrangement, example)
      : { x: 0, y: 0, width: 0, height: 0 };
  }

  /** The next example from one in a direction on the screen. */
  stepFrom({ arrangement }: Placed, from: number, dx: number, dy: number): number {
    const points = this.#points;
    // A step is seen: what lies at the same place, or almost, is passed over.
    if (points) return stepInCloud(points.cloud, from, dx, dy, points.size / 2 / points.scale);
    return this.#lattice && this.sight
      ? stepFrom(this.sight.lattice, arrangement, from, dx, dy)
      : from;
  }

  /** The examples whose points lie in a polygon on the screen, (corners, 2), in CSS pixels. */
  examplesWithin(corners: readonly number[]): Uint32Array {
    const points = this.#points;
    if (!points) return new Uint32Array(0);
    const { cloud, scale, x, y } = points;
    const whole = corners.map((at, i) => (at * this.#ratio) / scale + (i & 1 ? y : x));
    return pointsWithin(cloud, whole);
  }

  mark(placed: Placed, marks: Marks, accent: string): void {
    const { sight } = this;
    const points = this.#points;
    if (!sight && !points) return;
    const pen = context(this.#marks);
    const margin = MARGIN * this.#ratio;
    pen.setTransform(1, 0, 0, 1, margin, margin);
    pen.clearRect(-margin, -margin, this.#marks.width, this.#marks.height);
    const cellOf = (example: number) => this.cellOf(placed, example);
    const cellSize =
      points?.size ??
      (sight ? sight.scale * Math.min(sight.lattice.cellWidth, sight.lattice.cellHeight) : 0);
    if (marks.singled) {
      const singled = Array.from(marks.singled.subarray(0, MOST_DOTS), cellOf);
      fillCells(pen, singled, accent, Math.round(this.#ratio));
    } else if ((sight?.lattice.perCell ?? 1) === 1 && cellSize >= LEAST_CELL_FOR_DOTS) {
      pen.fillStyle = accent;
      const dot = Math.max(1, Math.round(Math.min(cellSize / 3, LARGEST_DOT * this.#ratio)));
      for (const neighbor of marks.neighbors.subarray(0, MOST_DOTS)) {
        const cell = cellOf(neighbor);
        // In the middle, or in the corner of a cell that has room for its label.
        const x = cell.x + Math.min(2 * dot, Math.floor((cell.width - dot) / 2));
        const y = cell.y + Math.min(2 * dot, Math.floor((cell.height - dot) / 2));
        pen.fillRect(x, y, dot, dot);
      }
    }
    const line = Math.max(1, Math.round(2 * this.#ratio));
    const around = (example: number, color: string) =>
      outline(pen, points ? this.#ringed(cellOf(example)) : cellOf(example), color, line, !!points);
    around(marks.selected, accent);
    if (marks.donor !== null) dashes(pen, cellOf(marks.donor), accent, line);
    if (marks.pointed !== null && marks.pointed !== marks.selected) around(marks.pointed, "#000");
  }

  /** What a ring is drawn around: a small point with some room. */
  #ringed({ x, y, width, height }: Rectangle): Rectangle {
    const room = Math.max(0, LEAST_RING * this.#ratio - width) / 2;
    return { x: x - room, y: y - room, width: width + 2 * room, height: height + 2 * room };
  }

  /** The same off screen, so many times as large; it has to be painted. */
  copy(times: number): GridCanvas {
    const made = new GridCanvas(document.createElement("canvas"), document.createElement("canvas"));
    const { width, height } = this.#cells;
    made.#lattice = this.#lattice;
    made.#cloud = this.#cloud;
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
