import { describe, expect, test } from "vitest";
import { describeStage, parseStage, stageText } from "../../src/compute/stage";
import {
  chanceText,
  contributionText,
  countText,
  distanceText,
  percentText,
  sharedPieces,
  visibleToken,
} from "../../src/compute/text";

test.each(["L1H3.result@S3", "L0.attn_out@=", "L1.resid_post@12", "embed@L3", "logits@a.b@c"])(
  "the address %s reads and prints the same",
  (address) => {
    const stage = parseStage(address);
    expect(stage && stageText(stage)).toBe(address);
  },
);

test("what is no address is none", () => {
  expect(parseStage("L1H3.result")).toBeNull();
  expect(parseStage("")).toBeNull();
});

test("a stage is described in plain words", () => {
  const stage = { kind: "result", layer: 1, head: 3, position: "S3" };
  expect(describeStage(stage)).toBe("what head 3 of layer 1 wrote, at S3");
});

describe("shared pieces of a label", () => {
  test("are the tokens at the same position, where examples differ at all", () => {
    const pieces = sharedPieces(
      "12+34",
      "13+54",
      [1, 2, 10, 3, 4],
      [1, 3, 10, 5, 4],
      ["1", "2", "+", "3", "4"],
      [true, true, false, true, true],
    );
    expect(pieces).toEqual([
      { text: "1", shared: true },
      { text: "2+3", shared: false },
      { text: "4", shared: true },
    ]);
  });

  test("are the tokens, whatever stands between them in the label", () => {
    const pieces = sharedPieces(
      "the cat sees a dog.",
      "the fish sees a cat.",
      [1, 2, 3, 4, 5],
      [1, 6, 3, 4, 2],
      ["the", " cat", " sees", " a", " dog"],
      [true, true, true, true, true],
    );
    expect(pieces).toEqual([
      { text: "the", shared: true },
      { text: " cat ", shared: false },
      { text: "sees", shared: true },
      { text: " ", shared: false },
      { text: "a", shared: true },
      { text: " dog.", shared: false },
    ]);
  });

  test("are characters where the label is not its tokens", () => {
    expect(sharedPieces("cat", "cut", [1], [2], ["x"], [true])).toEqual([
      { text: "c", shared: true },
      { text: "a", shared: false },
      { text: "t", shared: true },
    ]);
  });

  test("are none where lengths differ", () => {
    expect(sharedPieces("cats", "cat", [1], [2], ["x"], [true])).toEqual([
      { text: "cats", shared: false },
    ]);
  });
});

test.each([
  [0, "0"],
  [0.03142, "0.031"],
  [0.000214, "0.00021"],
  [0.31416, "0.314"],
  [1.23456, "1.235"],
  [12.3456, "12.35"],
  [1234.56, "1235"],
  [0.000012, "1.20e-5"],
])("distance %d is written %s", (distance, text) => {
  expect(distanceText(distance)).toBe(text);
});

test("counts have commas", () => {
  expect([7, 1000, 1234567].map(countText)).toEqual(["7", "1,000", "1,234,567"]);
});

test("spaces of tokens are seen", () => {
  expect(visibleToken(" Paris\n")).toBe("·Paris↵");
});

test("only all is 100% and only none 0%", () => {
  const shares = [0, 0.001, 0.006, 0.5, 0.996, 1];
  expect(shares.map(percentText)).toEqual(["0%", "<1%", "1%", "50%", ">99%", "100%"]);
});

test("chances have the digits that matter", () => {
  expect([0.5, 0.0123, 2e-5, 1e-30].map(chanceText)).toEqual([
    "0.50",
    "0.012",
    "2e-5",
    "less than 1 in a billion",
  ]);
});

test("contributions have a sign", () => {
  expect([1.5, -0.25].map(contributionText)).toEqual(["+1.500", "−0.250"]);
});
