import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { conceptsIn, parseFilter, passing } from "../compute/filter";
import { LabelSearch } from "../compute/labelsearch";
import type { Coded } from "../data/concepts";
import type { Contents, Labels } from "../data/contents";
import type { Call } from "../source/source";
import { LatestTask, messageOf } from "./task";

type ReadConcepts = (names: readonly string[], call: Call) => Promise<ReadonlyMap<string, Coded>>;

/** The examples that a filter lets through; the grid fades the others. */
export class Filtering {
  /** The filter in force. */
  readonly text = signal("");
  /** What is written in its input, perhaps not yet a filter. */
  readonly typed = signal("");
  /** Why that is none, in words. */
  readonly problem = signal("");
  /** Whether each example passes, 1 or 0, (n,); null where all do. */
  readonly mask: Signal<Uint8Array | null> = signal(null);

  readonly #contents: ReadonlySignal<Contents | null>;
  readonly #labels: ReadonlySignal<Labels | null>;
  readonly #read: ReadConcepts;
  readonly #task = new LatestTask();
  #search: { labels: Labels; search: LabelSearch } | null = null;

  /** @param read brings concepts here, by their names */
  constructor(
    contents: ReadonlySignal<Contents | null>,
    labels: ReadonlySignal<Labels | null>,
    read: ReadConcepts,
  ) {
    this.#contents = contents;
    this.#labels = labels;
    this.#read = read;
  }

  /** Filters by a text; what is no filter leaves the one in force. Resolves with whether it took. */
  async use(text: string): Promise<boolean> {
    this.typed.value = text;
    this.#task.cancel();
    try {
      const filter = parseFilter(text);
      const contents = this.#contents.value;
      const labels = this.#labels.value;
      if (!filter || !contents || !labels) return this.#put(text, null);
      const names = conceptsIn(filter, contents.concepts);
      const concepts = await this.#task.run("", (call) => this.#read(names, call));
      if (!concepts) return false;
      return this.#put(text, passing(filter, concepts, this.#searchOf(labels)));
    } catch (error) {
      this.problem.value = messageOf(error);
      return false;
    }
  }

  /** Filters by the same text once more: the examples have changed. */
  async again(): Promise<void> {
    await this.use(this.text.value);
  }

  /** Forgets which examples pass; the filter stays. */
  forget(): void {
    this.#task.cancel();
    this.mask.value = null;
  }

  /** Gets ready to look for texts in labels, which the first key must not wait for. */
  prepare(): void {
    if (this.#labels.value) this.#searchOf(this.#labels.value);
  }

  #searchOf(labels: Labels): LabelSearch {
    if (this.#search?.labels !== labels) {
      this.#search = { labels, search: new LabelSearch(labels) };
    }
    return this.#search.search;
  }

  #put(text: string, mask: Uint8Array | null): boolean {
    batch(() => {
      this.problem.value = "";
      this.text.value = text;
      this.mask.value = mask;
    });
    return true;
  }
}
