import { expect, test } from "vitest";
import type { SwappedAnswer } from "../../src/data/swap";
import { changesText } from "../../src/words/swap";

test("what a swap changes is said by the answers' titles", () => {
  const swapped = (name: string, title: string, before: string, after: string): SwappedAnswer => ({
    name,
    title,
    right: before,
    before: { text: before, probability: 1 },
    after: { text: after, probability: 0.9 },
    changed: before !== after,
    reached: true,
  });
  const same = swapped("S4", "10000s", "0", "0");
  expect(changesText([same, swapped("S3", "1000s", "6", "7"), swapped("x", "", "1", "2")])).toBe(
    "1000s: 7 instead of 6, x: 2 instead of 1",
  );
  expect(changesText([same])).toBe("nothing changes");
});
