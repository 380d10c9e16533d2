import { expect, test } from "vitest";
import type { TestedAnswer } from "../../src/data/swaptest";
import { unusualText } from "../../src/words/swap";
import { barText, recoveredText } from "../../src/words/swaptest";

function answer(name: string, matters: boolean): TestedAnswer {
  return { name, title: "", matters, right: 0.99, constant: 0.5, bars: [] };
}

test("a recovered share can be below none and above all", () => {
  expect([-0.12, -0.001, 0, 0.5, 0.999, 1.04, null].map(recoveredText)).toEqual([
    "−12%",
    "0%",
    "0%",
    "50%",
    ">99%",
    "104%",
    "–",
  ]);
});

test("a bar says its range, what is still right, and what is unusual", () => {
  const bar = {
    condition: "near",
    recovered: 0.9,
    low: 0.8,
    high: 0.97,
    right: 0.95,
    unusual: { times: 2.26, far: true },
  };
  expect(barText(bar, "one of the 20 nearest", answer("S3", true)).split("\n")).toEqual([
    "one of the 20 nearest: 90% (80% to 97%) of the answer is kept.",
    "Still right: 95%; without a swap 99%, always the same answer 50%.",
    "It leads to activations 2.3× as far from any seen as usual.",
  ]);
  const bare = { ...bar, low: null, high: null, unusual: { times: 1.49, far: false } };
  expect(barText(bare, "near", answer("S3", true)).split("\n").at(-1)).toBe(
    "It stays in the usual range (1.5×).",
  );
  const unknown = { ...bare, unusual: null };
  expect(barText(unknown, "near", answer("S3", true)).split("\n")).toHaveLength(2);
  expect(unusualText(null)).toBe("");
});
