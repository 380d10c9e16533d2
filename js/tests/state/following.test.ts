import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Left } from "../../src/data/left";
import type { Metric } from "../../src/data/metric";
import type { Call } from "../../src/source/source";
import { Exploration, type Tab } from "../../src/state/exploration";
import { followPicture } from "../../src/state/following";
import type { Picture } from "../../src/state/picture";
import { MemorySource } from "./memory";

let source: MemorySource;
let exploration: Exploration;
let ending: AbortController;
let asked: string[];

/** Lets timers run for so long, in ms, and what follows from them. */
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const settle = () => exploration.settle(exploration.picture.value as Picture);

async function select(selected: number): Promise<void> {
  exploration.go({ selected });
  settle();
  await wait(1);
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  source = new MemorySource();
  exploration = new Exploration(source, 1000);
  exploration.stage.value = "embed@a";
  await exploration.load();
  ending = new AbortController();
  asked = [];
  vi.spyOn(source, "captions").mockImplementation(async (row) => {
    asked.push(`captions of ${row}`);
    return [];
  });
  const { lens } = source;
  vi.spyOn(source, "lens").mockImplementation(async (stage, row) => {
    asked.push(`lens of ${row}`);
    return lens(stage, row);
  });
  vi.spyOn(source, "swapTests").mockImplementation(async () => {
    asked.push("known tests");
    const short = { verdict: "enough" as const, sets: null, mean: false, sentence: "It is." };
    return { known: new Map([["embed@a", short]]), closed: ["embed@a"], stages: ["embed@a"] };
  });
  vi.spyOn(source, "swapTest").mockImplementation(async (stage) => {
    asked.push(`test of ${stage}`);
    throw new Error("there is no model");
  });
  const parts = source.parts.bind(source);
  vi.spyOn(source, "parts").mockImplementation(async (left) => {
    asked.push(`parts of ${left.stage} without ${left.without.join()}`);
    return parts(left);
  });
  followPicture(exploration, ending.signal);
});

afterEach(() => {
  ending.abort();
  vi.useRealTimers();
});

test("nothing is asked for before a picture is on screen", async () => {
  await wait(1000);
  expect(asked).toEqual([]);
});

test("the lens is asked for once an example stays selected, captions at once", async () => {
  settle();
  await wait(1);
  await select(1);
  await select(2);
  expect(asked).toEqual(["captions of 0", "captions of 1", "captions of 2"]);
  await wait(1000);
  expect(asked.slice(3)).toEqual(["lens of 2", "parts of embed@a without "]);
});

test("swap tests are asked for when they are shown, in place of the lens", async () => {
  settle();
  exploration.tab.value = "swap test" satisfies Tab;
  await wait(1000);
  expect(asked).toEqual(["captions of 0", "known tests", "test of embed@a"]);
  exploration.tab.value = "near";
  await wait(1000);
  expect(asked.slice(3)).toEqual(["lens of 0", "parts of embed@a without "]);
});

test("those that are known are asked for when the map shows them", async () => {
  exploration.swapTests.mapped.value = true;
  await wait(1);
  expect(asked).toEqual(["known tests"]);
});

test("a swap ends when another example is selected", async () => {
  settle();
  void exploration.swaps.swap(3, { selected: 0, stage: "embed@a" });
  await wait(1);
  expect(exploration.swaps.asked.value).not.toBeNull();
  await select(1);
  expect(exploration.swaps.asked.value).toBeNull();
});

test("parts are asked for at once in their tab, of what is left, and once", async () => {
  settle();
  exploration.tab.value = "made of" satisfies Tab;
  await wait(1);
  expect(asked).toContain("parts of embed@a without ");
  exploration.setAside(["half"], true);
  await wait(1);
  settle();
  await wait(1);
  expect(asked.at(-1)).toBe("parts of embed@a without half");
  const before = asked.length;
  exploration.undo();
  await wait(1);
  settle();
  await wait(1000);
  expect(asked.slice(before).filter((what) => what.startsWith("parts"))).toEqual([]);
  expect(exploration.madeOf.parts.value?.key).toBe("embed@a\nl2");
});

test("parts are not asked for again where another example is selected, and wait for no other stage", async () => {
  exploration.tab.value = "made of" satisfies Tab;
  settle();
  const called: AbortSignal[] = [];
  vi.spyOn(source, "parts").mockImplementation(async (_left: Left, call?: Call) => {
    if (call?.signal) called.push(call.signal);
    return new Promise(() => undefined);
  });
  await wait(1);
  await select(1);
  await select(2);
  expect(called.map(({ aborted }) => aborted)).toEqual([false]);
  exploration.go({ stage: "logits@a" });
  expect(called.map(({ aborted }) => aborted)).toEqual([true]);
});

test("what the user stopped is not asked for until the user asks again", async () => {
  exploration.tab.value = "made of" satisfies Tab;
  settle();
  vi.spyOn(source, "parts").mockImplementationOnce(() => new Promise(() => undefined));
  await wait(1);
  const { madeOf } = exploration;
  madeOf.stop();
  await wait(1000);
  expect(madeOf.stopped.value).toBe(true);
  expect(madeOf.parts.value).toBeNull();
  await madeOf.look({ stage: "embed@a", without: [], metric: "l2" });
  expect(madeOf.stopped.value).toBe(false);
  expect(madeOf.parts.value?.key).toBe("embed@a\nl2");
});

test("second parts are called off when the map shows something else", async () => {
  const called: AbortSignal[] = [];
  vi.spyOn(source, "secondParts").mockImplementation(
    async (_kinds: readonly string[], _metric: Metric, call?: Call) => {
      if (call?.signal) called.push(call.signal);
      return new Promise(() => undefined);
    },
  );
  exploration.madeOf.mapped.value = true;
  await wait(1);
  exploration.madeOf.mapped.value = false;
  expect(called.map(({ aborted }) => aborted)).toEqual([true]);
});

test("second parts are asked for when the map is to show them, once", async () => {
  exploration.madeOf.mapped.value = true;
  await wait(1);
  exploration.madeOf.mapped.value = false;
  exploration.madeOf.mapped.value = true;
  await wait(1);
  expect(exploration.madeOf.second.value.get("embed@a")?.concept).toBe("half");
});

test("a figure that is gone asks for nothing", async () => {
  settle();
  ending.abort();
  await wait(1000);
  await select(1);
  await wait(1000);
  expect(asked).toEqual([]);
});

test("by another metric the map is asked for again, and swap tests are forgotten", async () => {
  const atlas = vi.spyOn(source, "atlas");
  const measured = () => atlas.mock.calls.map(([, , metric]) => metric);
  settle();
  await wait(1);
  exploration.swapTests.known.value = new Map([["embed@a", {} as never]]);
  exploration.go({ metric: "cosine" });
  await wait(1);
  expect(measured()).toEqual([]);
  settle();
  await wait(1);
  expect(measured()).toEqual(["cosine"]);
  expect(exploration.swapTests.known.value.size).toBe(0);
  expect(exploration.picture.value?.metric).toBe("cosine");
  exploration.undo();
  await wait(1);
  settle();
  await wait(1);
  expect(exploration.metric.value).toBe("l2");
  expect(measured()).toEqual(["cosine", "l2"]);
});

test("what near texts share is asked for once the example rests, where there are texts", async () => {
  await select(2);
  await wait(500);
  expect(source.asked).not.toContain("texts near 2 at embed@a");
  source.hasTexts = true;
  await exploration.load();
  await select(3);
  expect(source.asked).not.toContain("texts near 3 at embed@a");
  await wait(500);
  expect(source.asked).toContain("texts near 3 at embed@a");
  const pattern = exploration.texts.found.value?.patterns[0] ?? null;
  expect(pattern?.text).toBe(" it");
  // Pointed at, those that have it are pointed out, each once.
  exploration.markPattern(pattern);
  expect([...(exploration.knowledge.marked.value ?? [])]).toEqual([1, 2]);
  exploration.markPattern(null);
  expect(exploration.knowledge.marked.value).toBeNull();
});
