import { expect, test } from "vitest";
import { whereText } from "../../src/words/texts";

test("where a pattern stands is said in words", () => {
  expect(["here", "1 before", "8 before", "before", "anywhere"].map(whereText)).toEqual([
    "at the position",
    "1 token before the position",
    "8 tokens before the position",
    "anywhere before the position",
    "anywhere in the text",
  ]);
});
