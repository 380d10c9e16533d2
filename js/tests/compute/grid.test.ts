import { describe, expect, test } from "vitest";
import { distanceAxis, histogram, tablePlaces } from "../../src/compute/axis";
import { arrangeByDistance, axisOf, blocksBy, emptyArrangement } from "../../src/compute/blocks";
import {
  channels,
  conceptColors,
  distanceTable,
  fadedTable,
  type Near,
  type Palette,
} from "../../src/compute/color";
import { coloringByConcept } from "../../src/compute/coloring";
import { cellOf, fitLattice, paintCells } from "../../src/compute/lattice";
import { Ranker } from "../../src/compute/ranked";
import type { Coded } from "../../src/data/concepts";
import vectors from "../vectors.json";

const MISSING = 65535;
const GAP = -1;
const FADED = 256;

function coded(name: string, values: string[], codes: number[]): Coded {
  const stored = Uint16Array.from(codes, (code) => (code < 0 ? MISSING : code));
  return { name, values, codes: stored, missing: MISSING };
}

/** A color of a table as [r, g, b]. */
function unpacked(color: number | undefined): number[] {
  const c = color as number;
  return [c & 255, (c >> 8) & 255, (c >> 16) & 255];
}

describe("the grid is as Python draws it", () => {
  for (const grid of vectors.grids) {
    const [width = 0, height = 0] = grid.size;
    test(`${grid.distances.length} examples in ${width} × ${height} pixels`, () => {
      const distances = Float32Array.from(grid.distances);
      const ranked = new Ranker().ofDistances(distances, grid.selected);
      const { order, scale } = ranked;
      expect([scale.min, scale.max, scale.low, scale.high]).toEqual(grid.scale);
      const indexes = tablePlaces(ranked, "linear", new Uint8Array(distances.length));
      expect(Array.from(indexes)).toEqual(grid.indexes);
      const counts = histogram(ranked, distanceAxis(ranked, "linear"), grid.selected, 20);
      expect(Array.from(counts)).toEqual(grid.histogram);

      const [rows, columns] = grid.concepts.map(({ name, values, codes }) =>
        axisOf(coded(name, values, codes)),
      );
      if (!rows || !columns) throw new Error("two axes are needed");
      expect([rows.labels, columns.labels]).toEqual(grid.labels);
      const arrangement = emptyArrangement(blocksBy(rows, columns));
      arrangeByDistance(arrangement, order);
      expect(Array.from(arrangement.blocks.starts)).toEqual(grid.starts);
      expect(Array.from(arrangement.examples)).toEqual(grid.examples);

      const { capacity } = arrangement.blocks;
      const across = columns.labels.length;
      const lattice = fitLattice(width, height, across, rows.labels.length, capacity, 2);
      expect(lattice).toEqual(grid.lattice);
      grid.corners.forEach(([x, y], example) => {
        expect(cellOf(lattice, arrangement, example)).toMatchObject({ x, y });
      });
      for (const name of ["rank", "log"] as const) {
        const places = tablePlaces(ranked, name, new Uint8Array(distances.length));
        expect(Array.from(places)).toEqual(grid[name]);
      }
      const even = histogram(ranked, distanceAxis(ranked, "log"), grid.selected, 20);
      expect(Array.from(even)).toEqual(grid.logHistogram);

      const table = distanceTable();
      const faded = fadedTable(table);
      const pixels = new Uint32Array(lattice.width * lattice.height);
      paintCells(pixels, lattice, arrangement, { indexes, table, faded: table, mask: null });
      const expected = grid.runs.flatMap(([index = GAP, length = 0]) =>
        new Array(length).fill(index === GAP ? 0 : table[index]),
      );
      expect(Array.from(pixels)).toEqual(expected);

      const mask = Uint8Array.from(grid.mask);
      paintCells(pixels, lattice, arrangement, { indexes, table, faded, mask });
      const both = [...table, ...faded];
      const filtered = grid.fadedRuns.flatMap(([index = GAP, length = 0]) =>
        new Array(length).fill(index === GAP ? 0 : both[index]),
      );
      expect(grid.fadedRuns.some(([index = GAP]) => index >= FADED)).toBe(true);
      expect(Array.from(pixels)).toEqual(filtered);
    });
  }

  for (const { space, lattice } of vectors.lattices) {
    test(`the lattice for ${space.join(", ")}`, () => {
      expect(fitLattice(...(space as Parameters<typeof fitLattice>))).toEqual(lattice);
    });
  }
});

describe("colors are as Python draws them", () => {
  test("of distances", () => {
    expect(Array.from(distanceTable(), unpacked)).toEqual(vectors.colors.distances);
  });

  for (const { palette, near, table } of vectors.colors.palettes) {
    test(`of distances, near ${near} in ${palette}`, () => {
      const found = Array.from(distanceTable(palette as Palette, near as Near), unpacked);
      expect(found.filter((_, i) => i % 5 === 0)).toEqual(table);
    });
  }

  test("of values in gray", () => {
    expect(conceptColors(["1", "2", "3"], "gray").map(channels)).toEqual(vectors.colors.grays);
  });

  for (const { values, colors } of vectors.colors.values) {
    test(`of the values ${JSON.stringify(values).slice(0, 60)}`, () => {
      expect(conceptColors(values).map(channels)).toEqual(colors);
    });
  }

  test("of more values than a table holds", () => {
    const { values, codes, indexes, table } = vectors.colors.many;
    const found = coloringByConcept(coded("many", values, codes), "viridis");
    expect(Array.from(found.indexes)).toEqual(indexes);
    expect(Array.from(found.table, unpacked)).toEqual(table);
  });
});
