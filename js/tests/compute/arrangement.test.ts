import { describe, expect, test } from "vitest";
import {
  arrangeByDistance,
  arrangePlainly,
  axisOf,
  blocksBy,
  emptyArrangement,
  oneBlock,
} from "../../src/compute/blocks";
import {
  cellOf,
  exampleAt,
  fitLattice,
  paintCells,
  paintPart,
  stepFrom,
} from "../../src/compute/lattice";
import { cellInSight, exampleInSight, examplesInSight } from "../../src/compute/zoom";
import type { Coded } from "../../src/data/concepts";

function coded(name: string, values: string[], codes: number[]): Coded {
  return { name, values, codes: Uint8Array.from(codes), missing: 255 };
}

function arranged(n: number, across: number, down: number) {
  const codes = (count: number, step: number) =>
    Array.from({ length: n }, (_, i) => Math.floor(i / step) % count);
  const names = (count: number) => Array.from({ length: count }, (_, i) => String(i));
  const blocks = blocksBy(
    axisOf(coded("row", names(down), codes(down, across))),
    axisOf(coded("column", names(across), codes(across, 1))),
  );
  const arrangement = emptyArrangement(blocks);
  arrangeByDistance(
    arrangement,
    Uint32Array.from({ length: n }, (_, i) => n - 1 - i),
  );
  return arrangement;
}

describe("blocks", () => {
  test("hold each pair of values, nearest first", () => {
    const rows = axisOf(coded("a", ["x", "y"], [0, 1, 0, 1, 0]));
    const columns = axisOf(coded("b", ["0", "1"], [0, 0, 1, 1, 0]));
    const blocks = blocksBy(rows, columns);
    expect(Array.from(blocks.blockOf)).toEqual([0, 2, 1, 3, 0]);
    expect(blocks.capacity).toBe(2);
    const arrangement = emptyArrangement(blocks);
    arrangeByDistance(arrangement, Uint32Array.of(4, 3, 2, 1, 0));
    expect(Array.from(arrangement.examples)).toEqual([4, 0, 2, 1, 3]);
    expect(Array.from(arrangement.places)).toEqual([1, 3, 2, 4, 0]);
  });

  test("take many values together in their order", () => {
    const values = Array.from({ length: 100 }, (_, i) => String(i));
    const axis = axisOf(
      coded(
        "n",
        values,
        values.map((_, i) => i),
      ),
    );
    expect(axis.labels).toHaveLength(20);
    expect(axis.labels[0]).toBe("0–4");
    expect(axis.labels[19]).toBe("95–99");
    expect(axis.places[99]).toBe(19);
  });

  test("have a place for examples without a value", () => {
    const axis = axisOf(coded("a", ["x"], [0, 255]));
    expect(axis.labels).toEqual(["x", "none"]);
    expect(Array.from(axis.places)).toEqual([0, 1]);
  });
});

describe.each([
  ["few examples", 300, 2],
  ["ten thousand", 10_000, 2],
  ["more examples than pixels", 400_000, 1],
])("a lattice of %s", (_, n, gap) => {
  const arrangement = arranged(n, 10, 10);
  const lattice = fitLattice(441, 387, 10, 10, arrangement.blocks.capacity, gap);

  test("fits", () => {
    expect(lattice.width).toBeLessThanOrEqual(441);
    expect(lattice.height).toBeLessThanOrEqual(387);
    const room = lattice.columns * lattice.rows * lattice.perCell;
    expect(room).toBeGreaterThanOrEqual(arrangement.blocks.capacity - 1e-6);
    expect(lattice.columns * lattice.cellWidth).toBeLessThanOrEqual(lattice.pitchX);
  });

  test("finds each example where it lies", () => {
    for (let example = 0; example < n; example += 97) {
      const { x, y, width, height } = cellOf(lattice, arrangement, example);
      const found = exampleAt(lattice, arrangement, x + width - 1, y + height - 1);
      if (lattice.perCell === 1) expect(found).toBe(example);
      else expect(cellOf(lattice, arrangement, found as number)).toEqual({ x, y, width, height });
    }
  });

  test("paints each cell in its example's color and nothing else", () => {
    const pixels = new Uint32Array(lattice.width * lattice.height);
    const indexes = Uint8Array.from({ length: n }, (_, i) => (i % 100) + 1);
    const table = Uint32Array.from({ length: 256 }, (_, i) => i);
    paintCells(pixels, lattice, arrangement, { indexes, table, faded: table, mask: null });
    let painted = 0;
    for (let y = 0; y < lattice.height; y++) {
      for (let x = 0; x < lattice.width; x++) {
        const example = exampleAt(lattice, arrangement, x, y);
        const expected = example === null ? 0 : (example % 100) + 1;
        if (pixels[y * lattice.width + x] !== expected) throw new Error(`wrong at ${x}, ${y}`);
        if (expected > 0) painted++;
      }
    }
    expect(painted).toBeGreaterThan(0.6 * lattice.width * lattice.height);
  });
});

test("examples that share a cell are painted in their mean color", () => {
  const arrangement = emptyArrangement(oneBlock(4));
  arrangePlainly(arrangement);
  const lattice = fitLattice(2, 1, 1, 1, 4, 0);
  const pixels = new Uint32Array(2);
  const table = Uint32Array.from({ length: 256 }, (_, i) => i);
  const faded = table.map((color) => color + 1000);
  const indexes = Uint8Array.of(10, 20, 30, 50);
  const paint = (mask: Uint8Array | null) => {
    paintCells(pixels, lattice, arrangement, { indexes, table, faded, mask });
    return Array.from(pixels);
  };
  expect(paint(null)).toEqual([15, 40]);
  // What is faded counts only where nothing else is.
  expect(paint(Uint8Array.of(1, 0, 0, 0))).toEqual([10, 1040]);
});

describe("a part of the grid, enlarged", () => {
  const arrangement = arranged(900, 3, 3);
  const lattice = fitLattice(120, 90, 3, 3, arrangement.blocks.capacity, 2);
  const indexes = Uint8Array.from({ length: 900 }, (_, i) => (i % 250) + 1);
  const table = Uint32Array.from({ length: 256 }, (_, i) => i);
  const colors = { indexes, table, faded: table, mask: null };

  test.each([
    { scale: 1, x: 0, y: 0 },
    { scale: 2, x: 30, y: 10 },
    { scale: 1.37, x: 5.5, y: 7.25 },
    { scale: 23.4, x: 61.2, y: 43.9 },
  ])("shows at each pixel the cell that a click there meets: %o", (part) => {
    const sight = { lattice, ...part };
    const [width, height] = [120, 90];
    const pixels = new Uint32Array(width * height);
    paintPart(pixels, width, sight, arrangement, colors);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const example = exampleInSight(sight, arrangement, x + 0.5, y + 0.5);
        const expected = example === null ? 0 : (example % 250) + 1;
        if (pixels[y * width + x] !== expected) throw new Error(`wrong at ${x}, ${y}`);
      }
    }
    for (const example of examplesInSight(sight, arrangement, width, height)) {
      const cell = cellInSight(sight, arrangement, example);
      const x = Math.floor(cell.x + cell.width / 2);
      const y = Math.floor(cell.y + cell.height / 2);
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      expect(pixels[y * width + x]).toBe((example % 250) + 1);
    }
  });

  test("is the whole where nothing is enlarged", () => {
    const { width, height } = lattice;
    const whole = new Uint32Array(width * height);
    const part = new Uint32Array(width * height);
    paintCells(whole, lattice, arrangement, colors);
    paintPart(part, width, { lattice, scale: 1, x: 0, y: 0 }, arrangement, colors);
    expect(part).toEqual(whole);
  });
});

test("arrow keys step to the next cell, over gaps, and stop at the edge", () => {
  const arrangement = arranged(400, 2, 2);
  const lattice = fitLattice(200, 200, 2, 2, arrangement.blocks.capacity, 4);
  const first = arrangement.examples[0] as number;
  expect(stepFrom(lattice, arrangement, first, -1, 0)).toBe(first);
  let at = first;
  const seen = new Set([at]);
  for (let i = 0; i < 2 * lattice.columns; i++) {
    at = stepFrom(lattice, arrangement, at, 1, 0);
    seen.add(at);
  }
  expect(seen.size).toBe(2 * lattice.columns);
});
