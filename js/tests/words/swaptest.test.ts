import { expect, test } from "vitest";
import {
  barText,
  changesText,
  onScale,
  recoveredText,
  shortOf,
  sortedAnswers,
  stagesToTest,
  unusualText,
} from "../../src/compute/swaptest";
import type { SwappedAnswer, SwapTest, TestedAnswer } from "../../src/source/swap";

function answer(name: string, matters: boolean): TestedAnswer {
  return { name, title: "", matters, cost: 1, right: 0.99, constant: 0.5, bars: [] };
}

function swapTest(about: string, answers: TestedAnswer[]): SwapTest {
  return {
    stage: "L0.mlp_out@b",
    possible: true,
    reason: "",
    verdict: "enough",
    sentence: "They can.",
    answer: about,
    concept: null,
    pairs: 9,
    conditions: [],
    answers,
  };
}

test("stages to test are those with vectors, of the kinds shown, but for the scores at the end", () => {
  const row = (kind: string, layer: number | null, head: number | null, widths: number[]) => ({
    kind,
    layer,
    head,
    widths,
  });
  const contents = {
    answers: [{ name: "S1", position: "b", title: "" }],
    positions: ["a", "b"],
    defaultKinds: ["result", "logits"],
    rows: [row("result", 0, 1, [4, 0]), row("z", 0, 1, [4, 4]), row("logits", null, null, [9, 9])],
  };
  expect(stagesToTest(contents, false)).toEqual(["L0H1.result@a"]);
  expect(stagesToTest(contents, true)).toEqual(["L0H1.z@b", "L0H1.result@a", "L0H1.z@a"]);
});

test("the answer that the verdict is about comes first, those that do not matter apart", () => {
  const found = sortedAnswers(
    swapTest("S2", [answer("S4", false), answer("S3", true), answer("S2", true)]),
  );
  expect(found.matter.map(({ name }) => name)).toEqual(["S2", "S3"]);
  expect(found.quiet.map(({ name }) => name)).toEqual(["S4"]);
});

test("a test in short says why there is no verdict where there is none", () => {
  expect(shortOf(swapTest("S2", []))).toEqual({ verdict: "enough", sentence: "They can." });
  const impossible = { ...swapTest("", []), possible: false, reason: "Nothing follows." };
  expect(shortOf(impossible)).toEqual({ verdict: null, sentence: "Nothing follows." });
});

test("a recovered share can be below none and above all; a bar cannot", () => {
  expect([-0.12, -0.001, 0, 0.5, 0.999, 1.04, null].map(recoveredText)).toEqual([
    "−12%",
    "0%",
    "0%",
    "50%",
    ">99%",
    "104%",
    "–",
  ]);
  expect([-0.1, 0.3, 1.2].map(onScale)).toEqual([0, 0.3, 1]);
});

test("a bar says its range, what is still right, and what is unusual", () => {
  const bar = {
    condition: "near",
    recovered: 0.9,
    low: 0.8,
    high: 0.97,
    right: 0.95,
    unusual: 2.26,
  };
  expect(barText(bar, "one of the 20 nearest", answer("S3", true)).split("\n")).toEqual([
    "one of the 20 nearest: 90% (80% to 97%) of the answer is kept.",
    "Still right: 95%; without a swap 99%, always the same answer 50%.",
    "It leads to activations 2.3× as far from any seen as usual.",
  ]);
  const bare = { ...bar, low: null, high: null, unusual: 1.49 };
  expect(barText(bare, "near", answer("S3", true)).split("\n").at(-1)).toBe(
    "It stays in the usual range (1.5×).",
  );
  const unknown = { ...bare, unusual: null };
  expect(barText(unknown, "near", answer("S3", true)).split("\n")).toHaveLength(2);
  expect(unusualText(null)).toBe("");
});

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
