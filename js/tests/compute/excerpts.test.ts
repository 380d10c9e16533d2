import { describe, expect, test } from "vitest";
import { counterparts, excerpt, placeIn, sharedByAll, wordsOf } from "../../src/compute/excerpts";

const OWN = "When Mary and John went to the store, John gave a drink to";
const OTHERS = [
  "When Susan and Mary went to the store, Mary gave a book to",
  "When John and Alice went to the harbor, Alice gave a ring to",
];

/** As it is read, what differs in brackets and the word at the position in stars. */
function read(text: string, focus: number | null, room: number, others = OTHERS): string {
  const own = wordsOf(OWN);
  const shared = sharedByAll(own, others.map(wordsOf));
  const words = wordsOf(text);
  return excerpt(words, { found: counterparts(words, own), shared }, focus, room)
    .map(({ text: piece, differs, here }) => (here ? `*${piece}*` : differs ? `[${piece}]` : piece))
    .join("");
}

describe("an excerpt", () => {
  test("leaves out what all share, and marks what differs", () => {
    const [first = ""] = OTHERS;
    expect(read(first, null, 100)).toBe("When[ Susan] and[ Mary]… store,[ Mary]…[ book] to");
  });

  test("keeps the word at the position, and shows what is around it", () => {
    const [, second = ""] = OTHERS;
    expect(read(second, second.length - 1, 100)).toBe(
      "When[ John] and[ Alice]…[ harbor, Alice]…[ ring] *to*",
    );
    const middle = second.indexOf("harbor");
    const shown = read(second, middle, 24);
    expect(shown).toMatch(/^….* \*harbor,\*.*…$/);
    expect(shown.replace(/[[\]*]/g, "").length).toBeLessThanOrEqual(25);
  });

  test("of a text with nothing in common is all of it", () => {
    expect(read("no such thing", null, 100)).toBe("[no such thing]");
    expect(read(OWN, null, 1000, [])).toBe(OWN);
  });
});

test("words are compared in their order", () => {
  const found = counterparts(wordsOf("a b c d"), wordsOf("b x c a d"));
  expect([...found]).toEqual([-1, 0, 2, 4]);
  expect(wordsOf("  a b ").join("")).toBe("  a b ");
});

test("a position's place is that of its token, whatever the label leaves out", () => {
  const label = "to be or not to be";
  const texts = ["<|endoftext|>", "to", " be", " or", " not", " to", " be"];
  expect(texts.map((_, at) => placeIn(label, texts, at))).toEqual([null, 0, 3, 6, 9, 13, 16]);
  expect(placeIn("When Mary went to the store to", [" Mary", " to"], 1)).toBe(28);
  expect(placeIn("nothing", ["x"], 0)).toBeNull();
});
