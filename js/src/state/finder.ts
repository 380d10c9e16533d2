import { signal } from "@preact/signals";
import { nextLabelled } from "./example";
import { LatestTask } from "./loader";
import type { Found, Labels, Source } from "./source/source";

/** Finds the example that a typed text stands for. */
export class Finder {
  readonly task = new LatestTask();
  /** Why there is none, in words. */
  readonly problem = signal("");
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The example that the source makes of a text. */
  parsed(text: string): Promise<Found | undefined> {
    return this.#tried(() =>
      this.task.run(`looking for ${text}`, (call) => this.#source.find(text, call)),
    );
  }

  /** The next example after `from` whose label has the text in it. */
  labelled(text: string, labels: Labels, from: number): Promise<Found | undefined> {
    return this.#tried(async () => ({ index: nextLabelled(labels, text, from), added: false }));
  }

  async #tried(find: () => Promise<Found | undefined>): Promise<Found | undefined> {
    this.problem.value = "";
    try {
      return await find();
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }
}
