import { signal } from "@preact/signals";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Swap } from "../../src/data/swap";
import type { SwapTest, Tested } from "../../src/data/swaptest";
import type { Call, Source } from "../../src/source/source";
import { Swaps } from "../../src/state/swaps";
import { SwapTests } from "../../src/state/swaptests";

const SHORT = { sets: null, mean: false } as const;

/** Answers when it is let; what it is asked for is noted. */
class SlowSource {
  readonly asked: string[] = [];
  readonly known = new Map<string, Tested>();
  letGo: (() => void)[] = [];
  failing = "";

  async swap(stage: string, receiver: number, donor: number, free: boolean, call?: Call) {
    this.asked.push(`${donor} into ${receiver} at ${stage}${free ? ", free" : ""}`);
    await this.#turn(call);
    const swap = { stage, receiver, donor, free, possible: true, reason: "" };
    return { ...swap, answers: [], unusual: null } satisfies Swap;
  }

  async swapTest(stage: string, pairs: number | null, call?: Call) {
    this.asked.push(`test of ${stage}${pairs === null ? "" : ` with ${pairs}`}`);
    await this.#turn(call);
    if (stage === this.failing) throw new Error(`no room to test ${stage}`);
    const found = { stage, sentence: `${stage} is enough`, answer: "S" };
    const verdict = "enough" as const;
    const lists = { conditions: [], answers: [] };
    const more = { sets: null, mean: false, pairs: 1000, more: null, outcome: "", closed: true };
    const made = { ...found, ...lists, ...more, verdict };
    return { ...made, possible: true, reason: "" } satisfies SwapTest;
  }

  async account(stage: string, call?: Call) {
    const test = await this.swapTest(stage, null, call);
    return { ...test, outcome: "a and b together are enough here." } satisfies SwapTest;
  }

  async swapTests() {
    this.asked.push("known tests");
    return { known: this.known, closed: [], stages: ["a@0", "b@0"] };
  }

  /** Lets go of what waits, and of all that follows from it at once. */
  async release(): Promise<void> {
    for (const go of this.letGo.splice(0)) go();
    await idle();
  }

  #turn(call?: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      this.letGo.push(resolve);
      call?.signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    });
  }
}

const idle = () => new Promise((resolve) => setTimeout(resolve));

let slow: SlowSource;
beforeEach(() => {
  slow = new SlowSource();
});

describe("a swap", () => {
  let swaps: Swaps;
  beforeEach(() => {
    swaps = new Swaps(slow as unknown as Source);
  });

  test("is of the donor asked for last", async () => {
    void swaps.swap(7, { selected: 1, stage: "a@0" });
    const [first] = slow.letGo;
    void swaps.swap(8, { selected: 1, stage: "a@0" });
    first?.();
    await slow.release();
    expect(swaps.found.value).toMatchObject({ receiver: 1, donor: 8 });
  });

  test("with itself is none", () => {
    void swaps.swap(1, { selected: 1, stage: "a@0" });
    expect(swaps.asked.value).toBeNull();
    expect(slow.asked).toEqual([]);
  });

  test("is done again at another stage, and with what stands in the input", async () => {
    void swaps.swap(7, { selected: 1, stage: "a@0" });
    await slow.release();
    swaps.follow({ selected: 1, stage: "a@0" });
    swaps.follow({ selected: 1, stage: "b@0" });
    await slow.release();
    swaps.feed(true);
    await slow.release();
    expect(slow.asked).toEqual(["7 into 1 at a@0", "7 into 1 at b@0", "7 into 1 at b@0, free"]);
    expect(swaps.found.value).toMatchObject({ stage: "b@0", free: true });
  });

  test("goes with the selected example, even while it is under way", async () => {
    void swaps.swap(7, { selected: 1, stage: "a@0" });
    swaps.follow({ selected: 2, stage: "a@0" });
    await slow.release();
    expect(swaps.asked.value).toBeNull();
    expect(swaps.found.value).toBeNull();
    expect(swaps.dismiss()).toBe(false);
  });
});

describe("swap tests", () => {
  let tests: SwapTests;
  beforeEach(() => {
    tests = new SwapTests(slow as unknown as Source, signal("l2"));
  });

  test("are not run by looking, but shown where they are known", async () => {
    slow.known.set("b@0", { ...SHORT, verdict: "irrelevant", sentence: "no" });
    await tests.recall(["a", "b"]);
    await tests.recall(["a", "b"]);
    await tests.open("a@0");
    void tests.open("b@0");
    await slow.release();
    expect(slow.asked).toEqual(["known tests", "test of b@0"]);
    expect(tests.shown.value?.stage).toBe("b@0");
    expect(tests.stages.value).toEqual(["a@0", "b@0"]);
  });

  test("a stage's test is kept when it is done, and forgotten with the examples", async () => {
    void tests.test("a@0");
    expect(tests.running.value).toBe("a@0");
    await slow.release();
    expect(tests.running.value).toBe("");
    expect(tests.known.value.get("a@0")).toEqual({
      ...SHORT,
      verdict: "enough",
      sentence: "a@0 is enough",
    });
    tests.forget();
    expect(tests.known.value.size).toBe(0);
    expect(tests.shown.value).toBeNull();
  });

  test("an account is shown and closes a stage, whose own verdict stays", async () => {
    const own = { ...SHORT, verdict: "insufficient", sentence: "a alone is not enough" } as const;
    slow.known.set("a@0", own);
    await tests.recall(["a"]);
    void tests.account("a@0");
    await slow.release();
    expect(tests.shown.value?.outcome).toBe("a and b together are enough here.");
    expect(tests.known.value.get("a@0")).toEqual(own);
    expect([...tests.closed.value]).toEqual(["a@0"]);
  });

  test("a cancelled test of a stage leaves it untested", async () => {
    void tests.test("a@0");
    tests.cancel();
    await slow.release();
    expect(tests.running.value).toBe("");
    expect(tests.known.value.size).toBe(0);
    expect(tests.problem.value).toBe("");
  });

  test("of all stages come one after the other, and go on where they were cancelled", async () => {
    const stages = ["a@0", "b@0", "c@0"];
    void tests.testAll(stages);
    await slow.release();
    await slow.release();
    tests.testingAll.cancel();
    await slow.release();
    expect([...tests.known.value.keys()]).toEqual(["a@0", "b@0"]);
    slow.asked.length = 0;
    void tests.testAll(stages);
    await slow.release();
    expect(slow.asked).toEqual(["test of c@0"]);
    expect(tests.known.value.size).toBe(3);
  });

  test("a test that was done as all were called off is known all the same", async () => {
    await tests.recall(["a"]);
    void tests.testAll(["a@0", "b@0"]);
    await slow.release();
    tests.testingAll.cancel();
    slow.known.set("b@0", { ...SHORT, verdict: "enough", sentence: "" });
    await slow.release();
    await vi.waitFor(() => expect([...tests.known.value.keys()]).toContain("b@0"));
  });

  test("count stages, those known before among them", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      slow.known.set("a@0", { ...SHORT, verdict: "enough", sentence: "" });
      await tests.recall(["a", "b"]);
      void tests.testAll(["a@0", "b@0"]);
      await vi.advanceTimersByTimeAsync(200);
      expect(tests.testingAll.progress.value).toMatchObject({ done: 1, total: 2 });
    } finally {
      vi.useRealTimers();
    }
  });

  test("a failure stops them, is said, and leaves what is known", async () => {
    slow.failing = "b@0";
    void tests.testAll(["a@0", "b@0", "c@0"]);
    await slow.release();
    await slow.release();
    expect(tests.problem.value).toBe("no room to test b@0");
    expect([...tests.known.value.keys()]).toEqual(["a@0"]);
    expect(tests.testingAll.progress.value).toBeNull();
  });
});
