import type { Arrangement } from "./blocks";

/** An even lattice of equal blocks of equal cells, in whole device pixels. */
export interface Lattice {
  /** Size of the picture. */
  readonly width: number;
  readonly height: number;
  /** Blocks across and down, and the distance from one to the next. */
  readonly blockColumns: number;
  readonly blockRows: number;
  readonly pitchX: number;
  readonly pitchY: number;
  /** Cells across and down a block, and the size of one. */
  readonly columns: number;
  readonly rows: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Examples that share one cell, not always whole; 1 unless there are more examples than pixels. */
  readonly perCell: number;
}

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const LEAST_ASPECT = 0.6;
const MOST_GAP = 8;

/**
 * The lattice that fills `width` × `height` pixels best, for blocks of `capacity` examples, at
 * least `gap` pixels apart.
 */
export function fitLattice(
  width: number,
  height: number,
  blockColumns: number,
  blockRows: number,
  capacity: number,
  gap: number,
): Lattice {
  const innerX = Math.max(1, Math.floor((width + gap) / blockColumns) - gap);
  const innerY = Math.max(1, Math.floor((height + gap) / blockRows) - gap);
  const cells = Math.min(capacity, innerX * innerY);
  const perCell = capacity / cells;
  let best = { columns: innerX, rows: Math.ceil(cells / innerX), cellWidth: 1, cellHeight: 1 };
  let bestScore = 0;
  for (let columns = 1; columns <= Math.min(innerX, cells); columns++) {
    const rows = Math.ceil(cells / columns);
    if (rows > innerY) continue;
    const cellWidth = Math.floor(innerX / columns);
    const cellHeight = Math.floor(innerY / rows);
    const aspect = Math.min(cellWidth, cellHeight) / Math.max(cellWidth, cellHeight);
    const covered = cells * cellWidth * cellHeight + 0.5 * columns * cellWidth * rows * cellHeight;
    const score = covered * Math.min(1, aspect / LEAST_ASPECT);
    if (score > bestScore) {
      bestScore = score;
      best = { columns, rows, cellWidth, cellHeight };
    }
  }
  const pitchX = pitch(width, blockColumns, best.columns * best.cellWidth, gap);
  const pitchY = pitch(height, blockRows, best.rows * best.cellHeight, gap);
  return {
    width: (blockColumns - 1) * pitchX + best.columns * best.cellWidth,
    height: (blockRows - 1) * pitchY + best.rows * best.cellHeight,
    blockColumns,
    blockRows,
    pitchX,
    pitchY,
    perCell,
    ...best,
  };
}

/** From one block to the next: what whole cells leave over widens the gaps, within reason. */
function pitch(extent: number, blocks: number, block: number, gap: number): number {
  if (blocks === 1) return block;
  const spare = Math.floor((extent - blocks * block) / (blocks - 1));
  return block + Math.max(gap, Math.min(spare, gap + MOST_GAP));
}

/** Keeps a share of a cell that is whole but for rounding from going to the next. */
const ROUNDING = 1e-9;

/** Rank in its block of the first example of a cell. */
function firstRank(cell: number, perCell: number): number {
  return Math.floor(cell * perCell + ROUNDING);
}

/** Pixels of the cell of an example. */
export function cellOf(lattice: Lattice, arrangement: Arrangement, example: number): Rectangle {
  const block = arrangement.blocks.blockOf[example] as number;
  const start = arrangement.blocks.starts[block] as number;
  const rank = (arrangement.places[example] as number) - start;
  const cell = Math.ceil((rank + 1) / lattice.perCell - ROUNDING) - 1;
  const blockX = (block % lattice.blockColumns) * lattice.pitchX;
  const blockY = Math.floor(block / lattice.blockColumns) * lattice.pitchY;
  return {
    x: blockX + (cell % lattice.columns) * lattice.cellWidth,
    y: blockY + Math.floor(cell / lattice.columns) * lattice.cellHeight,
    width: lattice.cellWidth,
    height: lattice.cellHeight,
  };
}

/** The example at a pixel (the first, where several share a cell), or null between cells. */
export function exampleAt(
  lattice: Lattice,
  arrangement: Arrangement,
  x: number,
  y: number,
): number | null {
  const blockX = Math.floor(x / lattice.pitchX);
  const blockY = Math.floor(y / lattice.pitchY);
  if (blockX < 0 || blockY < 0) return null;
  if (blockX >= lattice.blockColumns || blockY >= lattice.blockRows) return null;
  const column = Math.floor((x - blockX * lattice.pitchX) / lattice.cellWidth);
  const row = Math.floor((y - blockY * lattice.pitchY) / lattice.cellHeight);
  if (column >= lattice.columns || row >= lattice.rows) return null;
  const { starts } = arrangement.blocks;
  const block = blockY * lattice.blockColumns + blockX;
  const cell = row * lattice.columns + column;
  const place = (starts[block] as number) + firstRank(cell, lattice.perCell);
  return place < (starts[block + 1] as number) ? (arrangement.examples[place] as number) : null;
}

/** The color of each example, as places in a table. */
export interface CellColors {
  readonly indexes: Uint8Array;
  readonly table: Uint32Array;
  /** The same colors for what is faded, and whether each example is not, 1 or 0; null if none is. */
  readonly faded: Uint32Array;
  readonly mask: Uint8Array | null;
}

/**
 * The color of the cell that the examples at some places share: that of their mean index. Those
 * that are faded do not count where others are not.
 */
function cellColor(
  { examples }: Arrangement,
  { indexes, table, faded, mask }: CellColors,
  place: number,
  stop: number,
): number {
  if (stop - place <= 1) {
    const example = examples[place] as number;
    return (mask?.[example] === 0 ? faded : table)[indexes[example] as number] as number;
  }
  let [sum, count, all] = [0, 0, 0];
  for (let p = place; p < stop; p++) {
    const example = examples[p] as number;
    const index = indexes[example] as number;
    all += index;
    if (mask?.[example] === 0) continue;
    sum += index;
    count++;
  }
  return count > 0
    ? (table[Math.round(sum / count)] as number)
    : (faded[Math.round(all / (stop - place))] as number);
}

/** Fills `pixels`, (height × width), with the color of each example's cell and 0 between them. */
export function paintCells(
  pixels: Uint32Array,
  lattice: Lattice,
  arrangement: Arrangement,
  colors: CellColors,
): void {
  const { width, blockColumns, blockRows, columns, rows, cellWidth, cellHeight, perCell } = lattice;
  const { starts } = arrangement.blocks;
  pixels.fill(0);
  for (let blockY = 0; blockY < blockRows; blockY++) {
    for (let row = 0; row < rows; row++) {
      const line = (blockY * lattice.pitchY + row * cellHeight) * width;
      for (let blockX = 0; blockX < blockColumns; blockX++) {
        const block = blockY * blockColumns + blockX;
        const start = starts[block] as number;
        const end = starts[block + 1] as number;
        let pixel = line + blockX * lattice.pitchX;
        for (let cell = row * columns; cell < (row + 1) * columns; cell++, pixel += cellWidth) {
          const place = start + firstRank(cell, perCell);
          if (place >= end) break;
          const stop = Math.min(start + firstRank(cell + 1, perCell), end);
          const color = cellColor(arrangement, colors, place, stop);
          for (let x = 0; x < cellWidth; x++) pixels[pixel + x] = color;
        }
      }
      for (let y = 1; y < cellHeight; y++) {
        pixels.copyWithin(line + y * width, line, line + width);
      }
    }
  }
}

/** Which block and which cell of it every pixel of a window is in, along one direction; -1 in gaps. */
function lanesOf(
  length: number,
  scale: number,
  from: number,
  pitch: number,
  blocks: number,
  cell: number,
  cells: number,
): { readonly block: Int32Array; readonly cell: Int32Array } {
  const lanes = { block: new Int32Array(length).fill(-1), cell: new Int32Array(length) };
  for (let i = 0; i < length; i++) {
    const at = from + (i + 0.5) / scale;
    const block = Math.floor(at / pitch);
    const lane = Math.floor((at - block * pitch) / cell);
    if (at < 0 || block >= blocks || lane >= cells) continue;
    lanes.block[i] = block;
    lanes.cell[i] = lane;
  }
  return lanes;
}

/**
 * Fills `pixels`, rows of `width`, with a part of a lattice: each of its pixels is `scale` pixels
 * wide there, from (x, y) on.
 */
export function paintPart(
  pixels: Uint32Array,
  width: number,
  { lattice, scale, x, y }: { lattice: Lattice; scale: number; x: number; y: number },
  arrangement: Arrangement,
  colors: CellColors,
): void {
  const { pitchX, pitchY, blockColumns, blockRows, columns, rows, perCell } = lattice;
  const { starts } = arrangement.blocks;
  const height = pixels.length / width;
  const across = lanesOf(width, scale, x, pitchX, blockColumns, lattice.cellWidth, columns);
  const down = lanesOf(height, scale, y, pitchY, blockRows, lattice.cellHeight, rows);
  pixels.fill(0);
  for (let top = 0; top < height; top++) {
    const blockY = down.block[top] as number;
    const row = down.cell[top] as number;
    if (blockY < 0) continue;
    if (top > 0 && blockY === down.block[top - 1] && row === down.cell[top - 1]) {
      pixels.copyWithin(top * width, (top - 1) * width, top * width);
      continue;
    }
    let [lastBlock, lastCell, color] = [-1, -1, 0];
    for (let left = 0; left < width; left++) {
      const blockX = across.block[left] as number;
      if (blockX < 0) continue;
      const column = across.cell[left] as number;
      if (blockX !== lastBlock || column !== lastCell) {
        [lastBlock, lastCell] = [blockX, column];
        const block = blockY * blockColumns + blockX;
        const cell = row * columns + column;
        const start = starts[block] as number;
        const end = starts[block + 1] as number;
        const place = start + firstRank(cell, perCell);
        const stop = Math.min(start + firstRank(cell + 1, perCell), end);
        color = place < end ? cellColor(arrangement, colors, place, stop) : 0;
      }
      pixels[top * width + left] = color;
    }
  }
}

/** The nearest example from `from` in a direction on the screen, for walking with arrow keys. */
export function stepFrom(
  lattice: Lattice,
  arrangement: Arrangement,
  from: number,
  dx: number,
  dy: number,
): number {
  const cell = cellOf(lattice, arrangement, from);
  let x = cell.x + Math.floor(cell.width / 2);
  let y = cell.y + Math.floor(cell.height / 2);
  while (x >= 0 && y >= 0 && x < lattice.width && y < lattice.height) {
    x += dx * lattice.cellWidth;
    y += dy * lattice.cellHeight;
    const found = exampleAt(lattice, arrangement, x, y);
    if (found !== null && found !== from) return found;
  }
  return from;
}
