import { type Signal, signal } from "@preact/signals";
import type { Left } from "../data/left";
import type { SharedPattern, SharedTexts } from "../data/texts";
import type { Source } from "../source/source";
import { LatestTask, messageOf } from "./task";

/** What the texts near the selected example share. */
export class Texts {
  readonly found: Signal<SharedTexts | null> = signal(null);
  /** Why it could not be found, in words, or "". */
  readonly problem = signal("");
  /** The pattern that is pointed at, which is marked in the neighbors' texts. */
  readonly marked: Signal<SharedPattern | null> = signal(null);
  readonly looking = new LatestTask();
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Asks for what the texts of the k neighbors of an example share. */
  async look(left: Left, row: number, k: number): Promise<void> {
    try {
      const found = await this.looking.run("", (call) =>
        this.#source.sharedTexts(left, row, k, call),
      );
      if (!found) return;
      this.found.value = found;
      this.problem.value = "";
    } catch (error) {
      this.found.value = null;
      this.problem.value = messageOf(error);
    }
    this.marked.value = null;
  }
}
