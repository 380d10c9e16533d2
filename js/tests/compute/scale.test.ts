import { expect, test } from "vitest";
import { Ranking } from "../../src/compute/distances";
import {
  colorIndexes,
  countAt,
  onScale,
  scaleOf,
  sliderOf,
  softmax,
} from "../../src/compute/scale";

const distances = Float32Array.from({ length: 1001 }, (_, i) => i / 100);
const order = new Ranking().sort(distances);

test("colors span all but the farthest and nearest few", () => {
  const scale = scaleOf(distances, order);
  expect(scale.min).toBeCloseTo(0.01);
  expect(scale.max).toBeCloseTo(10);
  expect(scale.low).toBeCloseTo(0.05, 1);
  expect(scale.high).toBeCloseTo(9.95, 1);
  const indexes = colorIndexes(distances, scale);
  expect(indexes[0]).toBe(0);
  expect(indexes[1000]).toBe(255);
  expect(indexes[500]).toBeCloseTo(127.5, -0.5);
});

test("examples that are all alike are all near", () => {
  const alike = new Float32Array(5);
  const scale = scaleOf(alike, new Ranking().sort(alike));
  expect(Array.from(colorIndexes(alike, scale))).toEqual([0, 0, 0, 0, 0]);
});

test("two examples can be scaled", () => {
  const two = Float32Array.of(0, 3);
  const scale = scaleOf(two, new Ranking().sort(two));
  expect(scale).toEqual({ min: 3, max: 3, low: 3, high: 3 });
});

test("softmax weights sum to 1, and a masked score weighs nothing", () => {
  const weights = softmax(Float32Array.of(1000, 1000, Number.NEGATIVE_INFINITY));
  expect(Array.from(weights)).toEqual([0.5, 0.5, 0]);
});

test("a slider of counts reaches every count, and both ends", () => {
  expect([countAt(0, 9999), countAt(1, 9999)]).toEqual([1, 9999]);
  for (const count of [1, 2, 3, 100, 4321, 9999]) {
    expect(countAt(sliderOf(count, 9999), 9999)).toBe(count);
  }
  expect(sliderOf(1, 1)).toBe(0);
});

test("a bar ends at none and at all", () => {
  expect([-0.1, 0.3, 1.2].map(onScale)).toEqual([0, 0.3, 1]);
});
