import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { parseStage } from "../data/stage";
import type { Trace, TraceNode } from "../data/trace";
import type { Source } from "../source/source";
import { LatestTask, messageOf } from "./task";

/** A trace that is shown, and when what led to it began, on the page's clock, in ms. */
export interface TraceShown {
  readonly trace: Trace;
  readonly started: number;
}

/** The answer to the selected example that is traced, and its trace. */
export class Traces {
  /** Name of the answer whose tab is pressed. */
  readonly answer: Signal<string | null> = signal(null);
  /** The latest trace; that of another example or answer until the wanted one is here. */
  readonly shown: Signal<TraceShown | null> = signal(null);
  /** Texts of the answers to the example that is selected, in the order of the tabs; null until they are here. */
  readonly captions: Signal<readonly string[] | null> = signal(null);
  /** The stage of the trace that is under the pointer. */
  readonly pointed: Signal<string | null> = signal(null);
  /** Whether what is not kept is shown too. */
  readonly pruned = signal(false);
  readonly problem = signal("");
  readonly task = new LatestTask();

  /** Whether the trace shown is not the one that is wanted. */
  readonly stale: ReadonlySignal<boolean>;
  /** The stages that are kept of the trace shown, by address. */
  readonly nodes: ReadonlySignal<ReadonlyMap<string, TraceNode>>;

  /** Whether a trace is shown. */
  readonly drawn: ReadonlySignal<boolean> = computed(
    () => this.shown.value?.trace.possible ?? false,
  );
  /** Positions with a stage that is kept, while a trace is shown. */
  readonly positions: ReadonlySignal<ReadonlySet<string> | null> = computed(() =>
    this.drawn.value
      ? new Set([...this.nodes.value.keys()].map((stage) => parseStage(stage)?.position ?? ""))
      : null,
  );
  /** Kinds of the stages that an answer can come through, while a trace is shown. */
  readonly kinds: ReadonlySignal<ReadonlySet<string> | null> = computed(() =>
    this.drawn.value
      ? new Set(this.shown.value?.trace.nodes.map(({ stage }) => parseStage(stage)?.kind ?? ""))
      : null,
  );

  readonly #source: Source;
  readonly #captioning = new LatestTask();
  readonly #row: Signal<number | null> = signal(null);

  constructor(source: Source) {
    this.#source = source;
    this.stale = computed(() => {
      const trace = this.shown.value?.trace;
      return trace !== undefined && !this.#isWanted(trace);
    });
    this.nodes = computed(() => {
      const kept = (this.shown.value?.trace.nodes ?? []).filter(({ kept }) => kept);
      return new Map(kept.map((node) => [node.stage, node]));
    });
  }

  /** Forgets what depends on the examples or the model; the pressed tab stays pressed. */
  forget(): void {
    this.#captioning.cancel();
    this.task.cancel();
    this.#row.value = null;
    this.captions.value = null;
    this.shown.value = null;
    this.problem.value = "";
  }

  /** Captions the answers to an example, and traces the one that is pressed. */
  async follow(row: number, started: number): Promise<void> {
    if (row === this.#row.value) return;
    this.#row.value = row;
    await Promise.all([this.#caption(row), this.#trace(started)]);
  }

  /** Traces an answer to the example that is selected, or stops to. */
  async press(answer: string, started: number): Promise<void> {
    this.answer.value = answer === this.answer.value ? null : answer;
    await this.#trace(started);
  }

  /** Stops the trace that is being made, and stays with what is on screen if that is of this example. */
  cancel(): void {
    this.task.cancel();
    const trace = this.shown.value?.trace;
    const stays = trace && trace.row === this.#row.value;
    if (!stays) this.shown.value = null;
    this.answer.value = stays ? trace.answer : null;
  }

  async #caption(row: number): Promise<void> {
    try {
      const captions = await this.#captioning.run("", (call) => this.#source.captions(row, call));
      if (captions) this.captions.value = captions;
    } catch {
      this.captions.value = []; // A tab says which answer it is without it.
    }
  }

  async #trace(started: number): Promise<void> {
    const row = this.#row.value;
    const answer = this.answer.value;
    this.problem.value = "";
    if (answer === null || row === null) {
      this.task.cancel();
      this.shown.value = null;
      return;
    }
    if (this.shown.value && !this.stale.value) {
      this.task.cancel();
      return;
    }
    try {
      const trace = await this.task.run("tracing", (call) => this.#source.trace(row, answer, call));
      if (trace) this.shown.value = { trace, started };
    } catch (error) {
      this.shown.value = null;
      this.problem.value = messageOf(error);
    }
  }

  #isWanted({ row, answer }: Trace): boolean {
    return row === this.#row.value && answer === this.answer.value;
  }
}
