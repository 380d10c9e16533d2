import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Metric } from "../data/metric";
import { type SwapTest, shortOf, type Tested } from "../data/swaptest";
import type { Call, Source } from "../source/source";
import { LatestTask, messageOf } from "./task";

/** Tests of stages: whether examples of the same concept can stand in for each other. */
export class SwapTests {
  /** The stages tested so far. */
  readonly known: Signal<ReadonlyMap<string, Tested>> = signal(new Map());
  /** Those where some concepts together are enough. */
  readonly closed: Signal<ReadonlySet<string>> = signal(new Set());
  /** How long the rest of all tests may take, in s, or null before that is known. */
  readonly secondsLeft: Signal<number | null> = signal(null);
  /** The stages of the kinds shown that there could be a test of, in the order to test them. */
  readonly stages: Signal<readonly string[]> = signal([]);
  /** The test looked at last, in full. */
  readonly shown: Signal<SwapTest | null> = signal(null);
  /** Whether the stage map shows what the tests say. */
  readonly mapped = signal(false);
  /** The stage that a test runs for, or "". */
  readonly running = signal("");
  /** Why a test failed, in words. */
  readonly problem = signal("");
  readonly testing = new LatestTask();
  readonly testingAll = new LatestTask();
  readonly #source: Source;
  readonly #metric: ReadonlySignal<Metric>;
  readonly #opening = new LatestTask();
  readonly #recalling = new LatestTask();
  /** The kinds that were asked about. */
  #recalled: readonly string[] | null = null;

  /** @param metric by which donors are near */
  constructor(source: Source, metric: ReadonlySignal<Metric>) {
    this.#source = source;
    this.#metric = metric;
  }

  /** Forgets all tests: the examples or the model have changed. */
  forget(): void {
    for (const task of [this.testing, this.testingAll, this.#opening, this.#recalling]) {
      task.cancel();
    }
    this.#recalled = null;
    this.known.value = new Map();
    this.closed.value = new Set();
    this.shown.value = null;
    this.running.value = "";
    this.problem.value = "";
  }

  /** Asks, once, which tests there could be of these kinds, and which are known already. */
  async recall(kinds: readonly string[]): Promise<void> {
    if (this.#recalled?.join() === kinds.join()) return;
    this.#recalled = kinds;
    await this.#ask(kinds);
  }

  async #ask(kinds: readonly string[]): Promise<void> {
    await this.#tried(async () => {
      const found = await this.#recalling.run("", (call) =>
        this.#source.swapTests(kinds, this.#metric.peek(), call),
      );
      if (!found) return;
      this.stages.value = found.stages;
      this.known.value = new Map([...found.known, ...this.known.value]);
      this.closed.value = new Set([...found.closed, ...this.closed.value]);
    });
  }

  /**
   * Tests a stage.
   * @param pairs how many, or null for as many as by default
   */
  async test(stage: string, pairs: number | null = null): Promise<void> {
    await this.#run(stage, (call) =>
      this.#source.swapTest(stage, pairs, this.#metric.peek(), call),
    );
  }

  /** Adds the parts of a stage until they are enough. */
  async account(stage: string): Promise<void> {
    await this.#run(stage, (call) => this.#source.account(stage, this.#metric.peek(), call));
  }

  /** Shows the test of a stage if it is known; runs none. */
  async open(stage: string): Promise<void> {
    if (this.shown.value?.stage === stage || !this.known.value.has(stage)) return;
    await this.#tried(() =>
      this.#show(this.#opening, (call) =>
        this.#source.swapTest(stage, null, this.#metric.peek(), call),
      ),
    );
  }

  /** Tests all stages that are not known yet; what is known when it is cancelled stays. */
  async testAll(stages: readonly string[]): Promise<void> {
    let cancelled = false;
    await this.#tried(async () => {
      const ended = await this.testingAll.run("", async (call) => {
        const missing = stages.filter((stage) => !this.known.value.has(stage));
        const started = performance.now();
        this.secondsLeft.value = null;
        for (const [i, stage] of missing.entries()) {
          const done = stages.length - missing.length + i;
          call.onProgress?.({ done, total: stages.length, text: "stages" });
          if (i > 0) {
            const each = (performance.now() - started) / 1000 / i;
            this.secondsLeft.value = each * (missing.length - i);
          }
          const test = await this.#source.swapTest(stage, null, this.#metric.peek(), {
            ...call,
            onProgress: () => undefined, // Stages are counted here, not runs.
          });
          if (call.signal?.aborted) return false;
          this.#keep(test);
        }
        return true;
      });
      cancelled = ended === undefined;
    });
    // The last test may have been done as it was called off.
    if (cancelled && this.#recalled) await this.#ask(this.#recalled);
  }

  /** Stops the test that runs for one stage. */
  cancel(): void {
    this.testing.cancel();
    this.running.value = "";
  }

  async #run(stage: string, work: (call: Call) => Promise<SwapTest>): Promise<void> {
    this.running.value = stage;
    await this.#tried(() => this.#show(this.testing, work));
    if (this.running.value === stage) this.running.value = "";
  }

  async #show(task: LatestTask, work: (call: Call) => Promise<SwapTest>): Promise<void> {
    const test = await task.run("", work);
    if (!test) return;
    this.shown.value = test;
    // An account's last test is of several concepts: the stage's own verdict stays as it is.
    if (test.outcome === "") this.#keep(test);
    else if (test.closed) this.#close(test.stage);
  }

  #keep(test: SwapTest): void {
    this.known.value = new Map(this.known.value).set(test.stage, shortOf(test));
    if (test.closed) this.#close(test.stage);
  }

  #close(stage: string): void {
    this.closed.value = new Set(this.closed.value).add(stage);
  }

  async #tried(work: () => Promise<void>): Promise<void> {
    this.problem.value = "";
    try {
      await work();
    } catch (error) {
      this.problem.value = messageOf(error);
    }
  }
}
