import type { Arrangement } from "./blocks";
import { cellOf, exampleAt, type Lattice, type Rectangle } from "./lattice";

/** Which part of the grid is in sight. */
export interface Zoom {
  /** How many times as large as the whole. */
  readonly scale: number;
  /** The corner that is in sight, in shares of the whole. */
  readonly x: number;
  readonly y: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };

/** A cell can become so large, in CSS pixels: a label fits in. */
const LARGEST_CELL = 130;

/** A part of a lattice on a screen: a pixel of it is `scale` pixels there, from (x, y) on. */
export interface Sight {
  readonly lattice: Lattice;
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** The most that a lattice can be enlarged, at so many device pixels for a CSS pixel. */
export function mostScale({ cellWidth, cellHeight, perCell }: Lattice, ratio: number): number {
  const cell = Math.min(cellWidth, cellHeight) / Math.sqrt(perCell);
  return Math.max(1, (LARGEST_CELL * ratio) / cell);
}

/** Enlarged by a factor, up to `most`; what is at (atX, atY), shares of what is in sight, stays there. */
export function enlarged(
  { scale, x, y }: Zoom,
  factor: number,
  most: number,
  atX = 0.5,
  atY = 0.5,
): Zoom {
  const larger = Math.min(most, Math.max(1, scale * factor));
  const by = 1 / scale - 1 / larger;
  return within({ scale: larger, x: x + atX * by, y: y + atY * by });
}

/** Moved by shares of what is in sight. */
export function moved({ scale, x, y }: Zoom, dx: number, dy: number): Zoom {
  return within({ scale, x: x + dx / scale, y: y + dy / scale });
}

/** Moved just so far that a rectangle, in shares of what is in sight, is in sight. */
export function showing(zoom: Zoom, { x, y, width, height }: Rectangle): Zoom {
  const step = (at: number, size: number) => Math.min(0, at) || Math.max(0, at + size - 1);
  return moved(zoom, step(x, width), step(y, height));
}

/** A zoom that leaves nothing but the whole in sight. */
export function within({ scale, x, y }: Zoom): Zoom {
  const most = 1 - 1 / scale;
  const kept = (at: number) => Math.min(most, Math.max(0, at));
  return { scale, x: kept(x), y: kept(y) };
}

/** An example's cell on the screen, in whole pixels. */
export function cellInSight(
  { lattice, scale, x, y }: Sight,
  arrangement: Arrangement,
  example: number,
): Rectangle {
  const cell = cellOf(lattice, arrangement, example);
  const [left, top] = [Math.round((cell.x - x) * scale), Math.round((cell.y - y) * scale)];
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.round((cell.x + cell.width - x) * scale) - left),
    height: Math.max(1, Math.round((cell.y + cell.height - y) * scale) - top),
  };
}

/** The example at a pixel of the screen, or null between cells. */
export function exampleInSight(
  { lattice, scale, x, y }: Sight,
  arrangement: Arrangement,
  atX: number,
  atY: number,
): number | null {
  return exampleAt(lattice, arrangement, x + atX / scale, y + atY / scale);
}

/** The examples whose cells are at least partly on a screen of so many pixels; each cell's first. */
export function examplesInSight(
  { lattice, scale, x, y }: Sight,
  arrangement: Arrangement,
  width: number,
  height: number,
): number[] {
  const found: number[] = [];
  const across = lanes(lattice.pitchX, lattice.blockColumns, lattice.cellWidth, lattice.columns);
  const down = lanes(lattice.pitchY, lattice.blockRows, lattice.cellHeight, lattice.rows);
  const seen = (middles: number[], from: number, size: number, extent: number) =>
    middles.filter((at) => at > from - size / 2 && at < from + extent / scale + size / 2);
  for (const top of seen(down, y, lattice.cellHeight, height)) {
    for (const left of seen(across, x, lattice.cellWidth, width)) {
      const example = exampleAt(lattice, arrangement, left, top);
      if (example !== null) found.push(example);
    }
  }
  return found;
}

/** The middles of all cells along one direction. */
function lanes(pitch: number, blocks: number, cell: number, cells: number): number[] {
  return Array.from(
    { length: blocks * cells },
    (_, i) => Math.floor(i / cells) * pitch + ((i % cells) + 0.5) * cell,
  );
}
