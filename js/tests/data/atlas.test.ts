import { expect, test } from "vitest";
import {
  ALL_SAME,
  type Atlas,
  axesAt,
  largestShares,
  meaningAt,
  NOTHING,
} from "../../src/data/atlas";

const atlas: Atlas = {
  stages: new Map([
    ["embed@a", 0],
    ["embed@b", 1],
    ["embed@c", 2],
  ]),
  concepts: ["digit", "carry", "sum"],
  hues: [],
  best: [2, NOTHING, ALL_SAME],
  shares: Float32Array.of(0.1, 0.5, 0.75, 0, -0.01, 0.02, Number.NaN, Number.NaN, Number.NaN),
  pairs: [["digit", "sum"]],
  axes: [0, -1, -1],
  notes: [],
};

test("a stage has the concept that explains it, or none, or nothing to explain", () => {
  expect(meaningAt(atlas, "embed@a", null)).toEqual({ concept: 2, share: 0.75 });
  expect(meaningAt(atlas, "embed@b", null)).toEqual({ concept: NOTHING, share: 0 });
  expect(meaningAt(atlas, "embed@c", null)).toEqual({ concept: ALL_SAME, share: 0 });
  expect(meaningAt(atlas, "logits@a", null)).toBeNull();
});

test("one concept has its share everywhere but where all examples are the same", () => {
  expect(meaningAt(atlas, "embed@a", 1)).toEqual({ concept: 1, share: 0.5 });
  expect(meaningAt(atlas, "embed@b", 1)).toEqual({ concept: 1, share: 0 });
  expect(meaningAt(atlas, "embed@c", 1)).toEqual({ concept: ALL_SAME, share: 0 });
});

test("the other concepts follow in order of their shares", () => {
  expect(largestShares(atlas, "embed@a", 2, 2)).toMatchObject([
    { concept: "carry", share: 0.5 },
    { concept: "digit" },
  ]);
});

test("the grid's axes follow the stage where a pair suits it", () => {
  expect(axesAt(atlas, "embed@a")).toEqual(["digit", "sum"]);
  expect(axesAt(atlas, "embed@b")).toBeNull();
  expect(axesAt(atlas, "elsewhere@a")).toBeNull();
});
