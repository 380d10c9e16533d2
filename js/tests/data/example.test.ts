import { expect, test } from "vitest";
import type { Contents, Tokens } from "../../src/data/contents";
import { partsOf, partsVary } from "../../src/data/example";

test("an example reads as its tokens, and the answer after them", () => {
  const contents = {
    positions: ["L0", "=", "S1"],
    answers: [
      { name: "S1", position: "=" },
      { name: "S0", position: "S1" },
    ],
  } as unknown as Contents;
  const tokens: Tokens = {
    ids: Uint8Array.of(7, 11, 0, 9, 11, 0),
    positions: 3,
    vocabulary: { 0: "0", 3: "3", 7: "7", 9: "9", 11: "=" },
    answers: [Uint8Array.of(0, 0), Uint8Array.of(7, 3)],
  };
  expect(partsOf(contents, tokens, 1).map(({ name, text }) => `${name}:${text}`)).toEqual([
    "L0:9",
    "=:=",
    "S1:0",
    "S0:3",
  ]);
  expect(partsVary(contents, tokens)).toEqual([true, false, false, true]);
});
