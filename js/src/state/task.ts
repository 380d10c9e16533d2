import { type Signal, signal } from "@preact/signals";
import { aborted, type Call, type Progress } from "../source/source";

const SHOWN_AFTER_MS = 100;

/** What is being done, and how far it has come. */
export interface Doing extends Progress {
  readonly title: string;
}

/** Runs one task at a time: starting another cancels it; shows progress after 100 ms. */
export class LatestTask {
  /** Null while nothing runs, or what runs is quick. */
  readonly progress: Signal<Doing | null> = signal(null);
  #controller: AbortController | null = null;

  /** Cancels the task that runs, if one does. */
  cancel(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.progress.value = null;
  }

  /** Runs `work`, and cancels what was running. Resolves with undefined if it was cancelled. */
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

/** Why something failed, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
