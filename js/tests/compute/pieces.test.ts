import { describe, expect, test } from "vitest";
import { sharedPieces } from "../../src/compute/pieces";

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
