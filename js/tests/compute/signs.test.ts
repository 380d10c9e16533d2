import { expect, test } from "vitest";
import { seen, seenText } from "../../src/compute/signs";
import vectors from "../vectors.json";

test("texts and tokens are written as Python writes them", () => {
  for (const { text, seen: written, token } of vectors.signs) {
    expect([text, seenText(text), seenText(text, true)]).toEqual([text, written, token]);
  }
});

test("each sign has words, and a piece of a text keeps the spaces at its ends", () => {
  expect(seen("<|endoftext|>\n a  ").map(({ said }) => said)).toEqual([
    "token endoftext",
    "line end",
    null,
    "2 spaces",
  ]);
  expect(seen(" a ", { start: false, end: false })).toEqual([{ text: " a ", said: null }]);
});
