import { describe, expect, test } from "vitest";
import { type Shared, SharedConcepts, significantGroups } from "../../src/compute/neighbors";
import type { Coded, Partitions } from "../../src/data/concepts";
import vectors from "../vectors.json";

const MISSING = 255;

function partition(name: string, values: string[], codes: number[]): Coded {
  const places = codes.map((code) => (code < 0 ? MISSING : code));
  return { name, values, codes: Uint8Array.from(places), missing: MISSING };
}

function limits(all: Coded[], told: readonly (readonly number[])[]): Partitions {
  return { all, determined: Float32Array.from(told.flat()), ...vectors.limits };
}

describe("against vectors that Python wrote", () => {
  vectors.shared.forEach(({ partitions, selected, near, wide, rows, told, set, setRows }, i) => {
    const known = limits(
      partitions.map(({ name, values, codes }) => partition(name, values, codes)),
      told,
    );

    const check = (found: readonly Shared[], rows: typeof setRows) => {
      expect(found.map((row) => row.partition.name)).toEqual(rows.map((row) => row.concept));
      found.forEach((row, at) => {
        const expected = rows[at] as (typeof rows)[number];
        expect(row.partition.values[row.code]).toBe(expected.value);
        expect(row.under?.name ?? null).toBe(expected.under);
        expect(row.share).toBeCloseTo(expected.share, 8);
        expect(row.base).toBeCloseTo(expected.base, 8);
        expect(row.agreement).toBeCloseTo(expected.agreement, 8);
        expect(row.wideAgreement).toBeCloseTo(expected.wide_agreement, 8);
        expect(Math.abs(row.p - expected.p)).toBeLessThanOrEqual(1e-7 * expected.p);
      });
    };

    test(`what neighbors share, case ${i}`, () => {
      const shared = new SharedConcepts(known);
      check(shared.of(selected, Uint32Array.from(near), Uint32Array.from(wide)), rows);
    });

    test(`what a set of examples shares, case ${i}`, () => {
      check(new SharedConcepts(known).ofSet(Uint32Array.from(set)), setRows);
    });
  });
});

test("what is nested with something that chance explains is on its own", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => partition(name, ["0"], [0]));
  const row = (own: Coded | undefined, p: number, under: Coded | undefined) =>
    ({ partition: own, p, agreement: 0.5, under: under ?? null }) as Shared;
  const names = (rows: Shared[]) =>
    significantGroups(rows, 0.05).map(({ head, nested }) =>
      [head, ...nested].map(({ partition: { name } }) => name).join(" > "),
    );
  expect(names([row(a, 0.01, undefined), row(b, 0.01, a), row(c, 0.2, a)])).toEqual(["a > b"]);
  expect(names([row(a, 0.2, undefined), row(b, 0.01, a), row(c, 0.01, undefined)])).toEqual([
    "b",
    "c",
  ]);
});
