import { expect, test } from "vitest";
import type { Contents, Tokens } from "../../src/data/contents";
import { fedParts, partsOf, partsVary } from "../../src/data/example";

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
    fed: null,
  };
  expect(partsOf(contents, tokens, 1).map(({ name, text }) => `${name}:${text}`)).toEqual([
    "L0:9",
    "=:=",
    "S1:0",
    "S0:3",
  ]);
  expect(partsVary(contents, tokens)).toEqual([true, false, false, true]);
});

test("an example is shown as it is fed, with names where its positions are", () => {
  const contents = {
    positions: ["subject", "last"],
    answers: [{ name: "next", position: "last" }],
  } as unknown as Contents;
  const tokens: Tokens = {
    ids: Uint8Array.of(2, 3, 4, 9),
    positions: 2,
    vocabulary: { 0: "<s>", 1: "The", 2: " keys", 3: " to", 4: " dog", 5: " are", 6: " is", 9: "" },
    answers: [Uint8Array.of(5, 6)],
    fed: {
      ids: Uint8Array.of(0, 1, 2, 3, 0, 1, 4),
      starts: Uint32Array.of(0, 4, 7),
      texts: Uint32Array.of(0, 1),
      // The second example has no token at the position "last".
      columns: Uint32Array.of(2, 3, 2, 3),
    },
  };
  const read = (example: number) =>
    fedParts(contents, tokens, example).map(({ name, text }) => `${name}:${text}`);
  expect(read(0)).toEqual([":<s>", ":The", "subject: keys", "last: to", "next: are"]);
  expect(read(1)).toEqual([":<s>", ":The", "subject: dog", "next: is"]);
});
