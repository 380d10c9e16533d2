import { expect, test } from "vitest";
import type { TestedAnswer } from "../../src/data/swaptest";
import { unusualText, unusualWord } from "../../src/words/swap";
import {
  barText,
  followsText,
  leftText,
  recoveredText,
  signOf,
  signText,
} from "../../src/words/swaptest";

function answer(name: string, matters: boolean): TestedAnswer {
  return { name, title: "", matters, right: 0.99, constant: 0.5, bars: [], follows: [] };
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

test("a sign says whether the mean would do, and whether the answer follows", () => {
  const tested = { verdict: "enough", sets: "shares", mean: false, sentence: "" } as const;
  expect(signText(tested)).toBe("the concept is enough, shares in setting the answer");
  expect(signOf({ ...tested, mean: true })).toBe("mean");
  expect(signOf({ ...tested, verdict: "undecided", mean: true })).toBe("undecided");
  expect(signText(undefined)).toBe("not tested");
});

test("what follows is told with its interval, its pairs and what chance gives", () => {
  const row = { pairs: "matched", share: 0.8, low: 0.77, high: 0.82, n: 1000 };
  const told = followsText({ ...row, left_alone: 1, without: 0, chance: 0.43 });
  expect(told).toContain("two alike in all else: the answer becomes");
  expect(told).toContain("in 80% (77% to 82%, 1,000 pairs)");
  expect(told).toContain("with a random example's vector 43%");
  const none = { share: null, low: null, high: null, left_alone: null, without: null };
  expect(followsText({ pairs: "any", n: 0, chance: null, ...none })).toContain("no pair differs");
});

test("the time left is told in seconds, then in minutes", () => {
  expect([0.2, 41.6, 150].map(leftText)).toEqual([
    "about 1 s left",
    "about 42 s left",
    "about 3 min left",
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
    "It leads to unusual activations (2.3×).",
  ]);
  const bare = { ...bar, low: null, high: null, unusual: { times: 1.49, far: false } };
  expect(barText(bare, "near", answer("S3", true)).split("\n").at(-1)).toBe(
    "It leads to usual activations (1.5×).",
  );
  const unknown = { ...bare, unusual: null };
  expect(barText(unknown, "near", answer("S3", true)).split("\n")).toHaveLength(2);
  expect(unusualText(null)).toBe("");
  expect(unusualWord({ times: 7.64, far: true })).toBe("unusual (7.6×)");
  expect(unusualWord({ times: 0.9, far: false })).toBe("as usual (0.9×)");
});
