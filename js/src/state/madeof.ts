import { type Signal, signal } from "@preact/signals";
import { type Left, leftKey } from "../data/left";
import type { Metric } from "../data/metric";
import type { SecondPart, StageParts } from "../data/parts";
import type { Source } from "../source/source";
import { LatestTask, messageOf } from "./task";

/** What stages are made of. */
export class MadeOf {
  /** Of the stage that was looked at last. */
  readonly parts: Signal<StageParts | null> = signal(null);
  /** The second part of stages, once the map was asked to show it. */
  readonly second: Signal<ReadonlyMap<string, SecondPart>> = signal(new Map());
  /** Whether the stage map shows the second parts. */
  readonly mapped = signal(false);
  /** Why there is nothing to show, in words. */
  readonly problem = signal("");
  /** Whether the user stopped what was to say what the stage is made of. */
  readonly stopped = signal(false);
  readonly looking = new LatestTask();
  readonly mapping = new LatestTask();
  readonly naming = new LatestTask();
  readonly #source: Source;
  #known = new Map<string, StageParts>();
  #kinds = "";

  constructor(source: Source) {
    this.#source = source;
  }

  /** Forgets all parts: the examples have changed. */
  forget(): void {
    this.looking.cancel();
    this.mapping.cancel();
    this.#known = new Map();
    this.#kinds = "";
    this.parts.value = null;
    this.second.value = new Map();
  }

  /** Stops looking, until it is asked for again. */
  stop(): void {
    this.looking.cancel();
    this.stopped.value = true;
  }

  /** Asks what a stage is made of, once. */
  async look(left: Left): Promise<void> {
    const key = leftKey(left);
    this.stopped.value = false;
    const known = this.#known.get(key);
    if (known) this.looking.cancel();
    await this.#tried(async () => {
      const found =
        known ??
        (await this.looking.run("finding what it is made of", (call) =>
          this.#source.parts(left, call),
        ));
      if (!found) return;
      this.#known.set(key, found);
      this.parts.value = found;
    });
  }

  /** Asks, once, for the second part of the stages of some kinds. */
  async map(kinds: readonly string[], metric: Metric): Promise<void> {
    const asked = [metric, ...kinds].join();
    if (this.#kinds === asked) return;
    await this.#tried(async () => {
      const found = await this.mapping.run("finding the second part of each stage", (call) =>
        this.#source.secondParts(kinds, metric, call),
      );
      if (!found) return;
      this.#kinds = asked;
      this.second.value = found;
    });
  }

  /** Makes a concept of a component, or of the clusters, and returns its name. */
  async name(left: Left, component: number | null): Promise<string | undefined> {
    let name: string | undefined;
    await this.#tried(async () => {
      name = await this.naming.run("making a concept", (call) =>
        this.#source.conceptOf(left, component, call),
      );
    });
    return name;
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
