import { expect, test } from "vitest";
import { huesOf } from "../../src/compute/hues";
import type { Atlas } from "../../src/data/atlas";

const atlas: Atlas = {
  stages: new Map(),
  concepts: ["digit", "carry", "sum"],
  families: ["digits", null, "sums"],
  best: [],
  shares: new Float32Array(0),
  pairs: [],
  axes: [],
  notes: [],
};

test("families have hues, and what is in none is other", () => {
  const [digit, carry, sum] = huesOf(atlas);
  expect([digit?.name, carry?.name, sum?.name]).toEqual(["digits", "other", "sums"]);
  expect(digit?.color).not.toBe(sum?.color);
});

test("without families the first concepts have their own hues", () => {
  const concepts = Array.from({ length: 10 }, (_, i) => `c${i}`);
  const hues = huesOf({ ...atlas, concepts, families: concepts.map(() => null) });
  expect(new Set(hues.slice(0, 8)).size).toBe(8);
  expect(hues.slice(8).map(({ name }) => name)).toEqual(["other", "other"]);
});
