import { describe, expect, test } from "vitest";
import { l2 } from "../../src/compute/distances";
import { mapped } from "../../src/compute/metrics";
import type { Metric } from "../../src/data/metric";
import vectors from "../vectors.json";

describe.each(vectors.metrics)("$metric of $d coordinates", (each) => {
  const { d, first, row } = each;
  const matrix = Float32Array.from(each.matrix);
  const scaling = each.scaling && {
    factors: Float32Array.from(each.scaling.factors),
    width: each.scaling.width,
  };

  test("distances are what Python says", () => {
    const found = mapped(matrix, d, each.metric as Metric, first, scaling);
    const distances = l2(found.values, found.d, row);
    const largest = Math.max(...each.distances);
    each.distances.forEach((distance, i) => {
      expect(Math.abs((distances[i] as number) - distance)).toBeLessThan(2e-4 * largest);
    });
    expect(distances[row]).toBe(0);
  });

  test("equal vectors stay equal, and what comes later moves nothing", () => {
    const found = mapped(matrix, d, each.metric as Metric, first, scaling);
    const at = (i: number) => found.values.subarray(i * d, (i + 1) * d);
    expect(at(4)).toEqual(at(5));
    const others = matrix.slice();
    others.fill(7, first * d);
    const again = mapped(others, d, each.metric as Metric, first, scaling);
    expect(again.values.subarray(0, first * d)).toEqual(found.values.subarray(0, first * d));
  });
});

test("L2 is of the vectors as they are", () => {
  const values = Float32Array.of(1, 2, 3, 4);
  expect(mapped(values, 2, "l2", 2, null).values).toBe(values);
});

test("a vector of zeros has no direction, and stays", () => {
  const values = Float32Array.of(0, 0, 3, 4);
  expect([...mapped(values, 2, "cosine", 2, null).values]).toEqual([
    0,
    0,
    ...Float32Array.of(0.6, 0.8),
  ]);
});

test("vectors that are the same for all are at distance 0", () => {
  const values = new Float32Array(12).fill(3);
  for (const metric of ["standardized", "whitened"] as const) {
    expect([...mapped(values, 3, metric, 4, null).values]).toEqual(Array(12).fill(0));
  }
});
