import { describe, expect, test } from "vitest";
import { l2, nearest, Ranking } from "../../src/compute/distances";
import vectors from "../vectors.json";

describe("against vectors that Python wrote", () => {
  for (const { n, d, row, matrix, distances, nearest: expected } of vectors.distances) {
    test(`distances and neighbors of a ${n} × ${d} matrix`, () => {
      const found = l2(Float32Array.from(matrix), d, row);
      found.forEach((distance, i) => {
        expect(Math.abs(distance - (distances[i] as number))).toBeLessThanOrEqual(1e-6 * distance);
      });
      const order = new Ranking().sort(found);
      expect(Array.from(nearest(order, row, expected.length))).toEqual(expected);
    });
  }
});

test("equal rows are at exactly 0, however large their numbers", () => {
  const row = [1e7, -3e-5, 12345.678, 0.1, 7];
  const distances = l2(Float32Array.from([...row, ...row, ...row.map((x) => x + 1)]), 5, 0);
  expect(distances[0]).toBe(0);
  expect(distances[1]).toBe(0);
  expect(distances[2]).toBeGreaterThan(1);
});

test("ranking sorts like a comparison of numbers, ties by index", () => {
  let state = 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const distances = Float32Array.from({ length: 3000 }, (_, i) =>
    i % 7 === 0 ? 0.5 : random() * 10 ** (random() * 8 - 4),
  );
  const expected = Array.from(distances.keys()).sort(
    (a, b) => (distances[a] as number) - (distances[b] as number) || a - b,
  );
  const ranking = new Ranking();
  expect(Array.from(ranking.sort(distances))).toEqual(expected);
  expect(Array.from(ranking.sort(Float32Array.of(3, 1, 2, 1)))).toEqual([1, 3, 2, 0]);
});

test("the selected example is no neighbor of itself, also among its equals", () => {
  const order = new Ranking().sort(Float32Array.of(0, 0, 0, 1));
  expect(Array.from(nearest(order, 1, 2))).toEqual([0, 2]);
  expect(Array.from(nearest(order, 1, 99))).toEqual([0, 2, 3]);
});
