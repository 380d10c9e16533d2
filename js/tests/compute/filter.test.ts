import { describe, expect, test } from "vitest";
import { conceptsIn, parseFilter, passing } from "../../src/compute/filter";
import { LabelSearch } from "../../src/compute/labelsearch";
import vectors from "../vectors.json";

const { labels, concepts, cases } = vectors.filters;
const known = concepts.map(({ name }) => name);
const coded = new Map(
  concepts.map(({ codes, ...concept }) => [
    concept.name,
    { ...concept, codes: Uint8Array.from(codes), missing: 255 },
  ]),
);
const search = new LabelSearch({ length: labels.length, at: (i) => labels[i] ?? "" });

function read(text: string): number[] {
  const filter = parseFilter(text);
  if (!filter) return labels.map(() => 1);
  conceptsIn(filter, known);
  return Array.from(passing(filter, coded, search));
}

describe("filters let through what they do in Python, and fail in the same words", () => {
  test.each(cases)("$text", ({ text, passes, error }) => {
    if (error === undefined) expect(read(text)).toEqual(passes);
    else expect(() => read(text)).toThrow(new Error(error));
  });
});

test("a text is found in one label, not across two", () => {
  const two = new LabelSearch({ length: 4, at: (i) => ["abab", "", "bca", "ab"][i] ?? "" });
  expect(Array.from(two.containing("bb"))).toEqual([0, 0, 0, 0]);
  expect(Array.from(two.containing("AB"))).toEqual([1, 0, 0, 1]);
  expect(Array.from(two.containing("aba"))).toEqual([1, 0, 0, 0]);
  expect(Array.from(two.containing(""))).toEqual([1, 1, 1, 1]);
});
