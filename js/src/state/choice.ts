import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { chosenMask, examplesIn } from "../compute/chosen";
import type { Contents } from "../data/contents";
import type { Source } from "../source/source";
import { LatestTask, messageOf } from "./task";

/** The chosen examples, and the concept that can be made of them. */
export class Choice {
  /** As a text: see `compute/chosen.ts`. */
  readonly text = signal("");
  /** Whether each example is chosen, 1 or 0, (n,); null where none is. */
  readonly mask: ReadonlySignal<Uint8Array | null>;
  /** Those that are, in order. */
  readonly examples: ReadonlySignal<Uint32Array>;
  readonly naming = new LatestTask();
  /** Why no concept was made, in words. */
  readonly problem = signal("");

  readonly #source: Source;

  constructor(source: Source, contents: Signal<Contents | null>) {
    this.#source = source;
    this.mask = computed(() => chosenMask(this.text.value, contents.value?.n ?? 0));
    this.examples = computed(() =>
      this.mask.value ? examplesIn(this.mask.value) : new Uint32Array(0),
    );
  }

  /** Makes a concept of the chosen examples, and returns its name. */
  async name(name: string): Promise<string | undefined> {
    this.problem.value = "";
    try {
      return await this.naming.run("making a concept", (call) =>
        this.#source.conceptOfChosen(name, this.text.value, call),
      );
    } catch (error) {
      this.problem.value = messageOf(error);
      return undefined;
    }
  }
}
