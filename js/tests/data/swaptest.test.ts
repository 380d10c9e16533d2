import { expect, test } from "vitest";
import { type SwapTest, shortOf, sortedAnswers, type TestedAnswer } from "../../src/data/swaptest";

function answer(name: string, matters: boolean): TestedAnswer {
  return { name, title: "", matters, right: 0.99, constant: 0.5, bars: [], follows: [] };
}

function swapTest(about: string, answers: TestedAnswer[]): SwapTest {
  return {
    stage: "L0.mlp_out@b",
    possible: true,
    reason: "",
    verdict: "enough",
    sets: "shares",
    mean: true,
    sentence: "They can.",
    pairs: 1000,
    more: 4000,
    outcome: "",
    closed: true,
    answer: about,
    conditions: [],
    answers,
  };
}

test("the answer that the verdict is about comes first, those that do not matter apart", () => {
  const found = sortedAnswers(
    swapTest("S2", [answer("S4", false), answer("S3", true), answer("S2", true)]),
  );
  expect(found.matter.map(({ name }) => name)).toEqual(["S2", "S3"]);
  expect(found.quiet.map(({ name }) => name)).toEqual(["S4"]);
});

test("a test in short says why there is no verdict where there is none", () => {
  expect(shortOf(swapTest("S2", []))).toEqual({
    verdict: "enough",
    sets: "shares",
    mean: true,
    sentence: "They can.",
  });
  const impossible = { ...swapTest("", []), possible: false, reason: "Nothing follows." };
  expect(shortOf(impossible)).toEqual({
    verdict: null,
    sets: null,
    mean: false,
    sentence: "Nothing follows.",
  });
});
