import { describe, expect, test } from "vitest";
import { setAside } from "../../src/compute/aside";
import { components, leading } from "../../src/compute/components";
import vectors from "../vectors.json";

const MISSING = 255;

describe.each(vectors.aside)("$d dimensions", ({ d, matrix, concepts, left, components: ends }) => {
  const coded = concepts.map(({ name, values, codes }) => ({
    name,
    values,
    codes: Uint8Array.from(codes, (code) => (code < 0 ? MISSING : code)),
    missing: MISSING,
  }));

  test("what is left is what Python says", () => {
    const found = setAside(Float32Array.from(matrix), d, coded);
    expect(Math.max(...found.map((x, i) => Math.abs(x - (left[i] as number))))).toBeLessThan(3e-5);
  });

  test("its components are what Python says", () => {
    const found = components(Float32Array.from(left), d, 3);
    expect(found.map(({ low, high }) => ({ low, high }))).toEqual(
      ends.map(({ low, high }) => ({ low, high })),
    );
    for (const [i, { share }] of found.entries()) expect(share).toBeCloseTo(ends[i]?.share ?? 0, 6);
  });

  test("a concept twice, or a coarser one beside it, leaves the same", () => {
    const matrixOf = Float32Array.from(matrix);
    const [a] = coded as [(typeof coded)[number]];
    const coarse = { ...a, name: "c", values: ["x"], codes: a.codes.map((code) => code && 0) };
    const once = setAside(matrixOf, d, [a]);
    const twice = setAside(matrixOf, d, [a, a, coarse]);
    expect(Math.max(...once.map((x, i) => Math.abs(x - (twice[i] as number))))).toBeLessThan(1e-5);
  });

  test("nothing of the concepts is left: their groups' means are 0", () => {
    const found = setAside(Float32Array.from(matrix), d, coded);
    for (const { codes } of coded) {
      const sums = new Map<number, Float64Array>();
      codes.forEach((code, i) => {
        const sum = sums.get(code) ?? new Float64Array(d);
        for (let j = 0; j < d; j++) (sum[j] as number) += found[i * d + j] as number;
        sums.set(code, sum);
      });
      for (const sum of sums.values()) expect(Math.max(...sum.map(Math.abs))).toBeLessThan(1e-3);
    }
  });
});

test("the eigenvectors of a symmetric matrix are found, equal eigenvalues too", () => {
  const d = 6;
  const sizes = [9, 9, 4, 1, 0, 0];
  // A reflection of a diagonal matrix has its eigenvalues.
  const v = Array.from({ length: d }, (_, i) => (i + 1) / Math.sqrt(91));
  const reflected = (i: number, j: number) =>
    Number(i === j) - 2 * (v[i] as number) * (v[j] as number);
  const matrix = Float64Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return sizes.reduce((sum, size, k) => sum + size * reflected(i, k) * reflected(k, j), 0);
  });
  const found = leading(matrix, d, 3);
  found.sizes.forEach((size, c) => {
    expect(size).toBeCloseTo(sizes[c] as number, 9);
    for (let i = 0; i < d; i++) {
      let image = 0;
      for (let j = 0; j < d; j++)
        image += (matrix[i * d + j] as number) * (found.axes[c * d + j] as number);
      expect(image).toBeCloseTo(size * (found.axes[c * d + i] as number), 6);
    }
  });
});

test("a matrix of equal rows has one component, which says nothing", () => {
  expect(components(new Float32Array(12).fill(2), 3, 3)).toEqual([
    { share: 0, low: [0, 1, 2, 3], high: [3, 2, 1, 0] },
  ]);
});
