import { describe, expect, test } from "vitest";
import {
  countShown,
  distanceAt,
  distanceAxis,
  histogram,
  SCALES,
  shownMask,
  tablePlaces,
} from "../../src/compute/axis";
import { Ranker } from "../../src/compute/ranked";

const rankedOf = (distances: Float32Array, from = 0) => new Ranker().ofDistances(distances, from);
const even = rankedOf(Float32Array.from({ length: 1001 }, (_, i) => i / 100));
const skewed = rankedOf(Float32Array.from({ length: 1001 }, (_, i) => (i === 0 ? 0 : 1.01 ** i)));
const alike = rankedOf(new Float32Array(5), 2);

describe.each(SCALES)("%s", (name) => {
  test.each([even, skewed])(
    "colors go from nearest to farthest and use the whole table",
    (ranked) => {
      const places = tablePlaces(ranked, name, new Uint8Array(1001));
      expect(places[0]).toBe(0);
      expect(places[1000]).toBe(255);
      for (let i = 1; i <= 1000; i++) {
        expect(places[i]).toBeGreaterThanOrEqual(places[i - 1] as number);
      }
    },
  );

  test("the legend shows each color at the distance that has it", () => {
    const places = tablePlaces(skewed, name, new Uint8Array(1001));
    for (const share of [0.1, 0.5, 0.9]) {
      const distance = distanceAt(skewed, name, share);
      const example = skewed.distances.findIndex((other) => other >= distance);
      expect(Math.abs((places[example] as number) - 255 * share)).toBeLessThan(3);
    }
  });

  test("examples that are all alike are all near, in one bin", () => {
    expect(Array.from(tablePlaces(alike, name, new Uint8Array(5)))).toEqual([0, 0, 0, 0, 0]);
    const axis = distanceAxis(alike, name);
    expect(Array.from(histogram(alike, axis, 2, 3))).toEqual([4, 0, 0]);
    expect(axis.at(0)).toBe(0);
  });

  test("the axis says which distance stands where", () => {
    const axis = distanceAxis(skewed, name);
    for (const position of [0, 0.25, 0.5, 1]) {
      expect(axis.position(axis.at(position))).toBeCloseTo(position, 6);
    }
    expect(axis.position(0)).toBe(0);
    expect(axis.position(1e9)).toBe(1);
  });

  test("the histogram counts every example but the selected one", () => {
    const counts = histogram(skewed, distanceAxis(skewed, name), 0, 10);
    expect(counts.reduce((a, b) => a + b)).toBe(1000);
  });
});

test("by rank every color is as frequent; on a logarithmic axis even factors are even steps", () => {
  const counts = new Uint32Array(256);
  for (const place of tablePlaces(skewed, "rank", new Uint8Array(1001))) {
    counts[place] = (counts[place] ?? 0) + 1;
  }
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  const log = histogram(skewed, distanceAxis(skewed, "log"), 0, 10);
  expect(Math.max(...log) - Math.min(...log)).toBeLessThanOrEqual(2);
  const linear = histogram(even, distanceAxis(even, "linear"), 0, 10);
  expect(Math.max(...linear) - Math.min(...linear)).toBeLessThanOrEqual(2);
});

test("equal distances have equal colors, by rank too", () => {
  const ranked = rankedOf(Float32Array.of(0, 1, 1, 1, 2, 3));
  const places = tablePlaces(ranked, "rank", new Uint8Array(6));
  expect(new Set(places.slice(1, 4)).size).toBe(1);
});

test("a band and a filter both count", () => {
  const distances = Float32Array.of(0, 1, 2, 3);
  const filter = Uint8Array.of(1, 0, 1, 1);
  const out = new Uint8Array(4);
  expect(shownMask(distances, null, null, out)).toBe(null);
  expect(shownMask(distances, null, filter, out)).toBe(filter);
  const band = { low: 1, high: 2 };
  expect(Array.from(shownMask(distances, band, null, out) ?? [])).toEqual([0, 1, 1, 0]);
  const both = shownMask(distances, band, filter, out);
  expect(Array.from(both ?? [])).toEqual([0, 0, 1, 0]);
  expect(countShown(both ?? out)).toBe(1);
});
