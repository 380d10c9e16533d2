import { signal } from "@preact/signals";
import type { Labels } from "../data/contents";
import { nextLabelled } from "../data/example";
import type { Found, Source } from "../source/source";
import { LatestTask, messageOf } from "./task";

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
      this.problem.value = messageOf(error);
      return undefined;
    }
  }
}
