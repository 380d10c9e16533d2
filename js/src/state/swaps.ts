import { type Signal, signal } from "@preact/signals";
import type { Swap } from "../data/swap";
import type { Source } from "../source/source";
import { LatestTask, messageOf } from "./task";

/** The example that is answered, and the stage that it gets another's vector at. */
export interface Receiver {
  readonly selected: number;
  readonly stage: string;
}

/** A swap that is asked for. */
export interface Asked {
  readonly stage: string;
  readonly receiver: number;
  readonly donor: number;
  /** When it was, on the page's clock, in ms. */
  readonly started: number;
}

/** What the model answers to the selected example with another's vector put in. */
export class Swaps {
  readonly asked: Signal<Asked | null> = signal(null);
  /** The latest result; that of the swap before while the next is computed. */
  readonly found: Signal<Swap | null> = signal(null);
  /** Whether the model's own earlier answers stand in its input, not the right ones. */
  readonly free = signal(false);
  /** Why the swap failed, in words. */
  readonly problem = signal("");
  readonly asking = new LatestTask();
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Answers to the selected example with the vector that another has at the stage. */
  async swap(donor: number, into: Receiver, started = performance.now()): Promise<void> {
    const { stage, selected: receiver } = into;
    if (donor === receiver) return;
    if (this.found.value?.receiver !== receiver) this.found.value = null;
    this.asked.value = { stage, receiver, donor, started };
    this.problem.value = "";
    try {
      const found = await this.asking.run("asking the model", (call) =>
        this.#source.swap(stage, receiver, donor, this.free.value, call),
      );
      if (found) this.found.value = found;
    } catch (error) {
      this.found.value = null;
      this.problem.value = messageOf(error);
    }
  }

  /** Swaps the same two at another stage; with another example selected there is no swap. */
  follow(now: Receiver): void {
    const asked = this.asked.value;
    if (!asked) return;
    if (now.selected !== asked.receiver) this.dismiss();
    else if (now.stage !== asked.stage) void this.swap(asked.donor, now);
  }

  /** Puts the model's own earlier answers in its input, or the right ones. */
  feed(free: boolean): void {
    this.free.value = free;
    const asked = this.asked.value;
    if (asked) void this.swap(asked.donor, { ...asked, selected: asked.receiver });
  }

  /** Takes the swap back; returns whether there was one. */
  dismiss(): boolean {
    const there = this.asked.value !== null;
    this.asking.cancel();
    this.asked.value = null;
    this.found.value = null;
    this.problem.value = "";
    return there;
  }
}
