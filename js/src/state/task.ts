import { type Signal, signal } from "@preact/signals";
import { aborted, type Call, type Progress } from "./source/source";

const SHOWN_AFTER_MS = 100;

/** What is being done, and how far it is. */
export interface Doing extends Progress {
  readonly title: string;
}

/** A task that the latest start of wins, and that shows its progress when it takes long. */
export class LatestTask {
  /** Null while nothing runs, or what runs is quick. */
  readonly progress: Signal<Doing | null> = signal(null);
  #controller: AbortController | null = null;

  /** Takes back what is running, if anything is. */
  cancel(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.progress.value = null;
  }

  /**
   * Runs `work` in place of what was running. Resolves with undefined if it was taken back.
   */
  async run<T>(title: string, work: (call: Call) => Promise<T>): Promise<T | undefined> {
    this.cancel();
    const controller = new AbortController();
    this.#controller = controller;
    let latest: Doing = { title, done: 0, total: 0, text: "" };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.progress.value = latest;
    }, SHOWN_AFTER_MS);
    const current = () => this.#controller === controller;
    try {
      const result = await work({
        signal: controller.signal,
        onProgress: (progress) => {
          latest = { title, ...progress };
          if (late && current()) this.progress.value = latest;
        },
      });
      return current() ? result : undefined;
    } catch (error) {
      if (!current() || aborted(error)) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
      if (current()) this.cancel();
    }
  }
}
