import type { Call } from "../source";
import type { What } from "./messages";
import type { Pulse } from "./pulse";
import type { Reply } from "./transport";

interface Answer {
  readonly resolve: (reply: Reply<never>) => void;
  readonly reject: (error: Error) => void;
  readonly call: Call;
}

/** What the caller of a request that was taken back gets. */
export function takenBack(): DOMException {
  return new DOMException("cancelled", "AbortError");
}

/**
 * The requests that have no answer yet, by their ids, with what their transport knows of each.
 * While there are any, signs of life are listened for.
 */
export class OpenRequests<More extends object> {
  readonly #open = new Map<number, More & Answer>();
  readonly #pulse: Pulse;
  #lastId = 0;

  constructor(pulse: Pulse) {
    this.#pulse = pulse;
  }

  get size(): number {
    return this.#open.size;
  }

  get ids(): number[] {
    return [...this.#open.keys()];
  }

  get all(): (More & Answer)[] {
    return [...this.#open.values()];
  }

  /**
   * Opens a request; its promise settles when it is taken, and resolved or rejected.
   * @param about what is known of it
   * @param send sends it
   * @param cancel told where the call is taken back
   */
  ask<W extends What>(
    call: Call,
    about: (id: number) => More,
    send: (id: number, about: More) => void,
    cancel: (id: number) => void,
  ): Promise<Reply<W>> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (call.signal?.aborted) {
        reject(takenBack());
        return;
      }
      const abort = () => cancel(id);
      call.signal?.addEventListener("abort", abort);
      const settled = () => call.signal?.removeEventListener("abort", abort);
      const known = about(id);
      this.#open.set(id, {
        ...known,
        call,
        resolve: (reply) => {
          settled();
          resolve(reply);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      this.#pulse.start();
      send(id, known);
    });
  }

  get(id: number): (More & Answer) | undefined {
    return this.#open.get(id);
  }

  /** Takes a request out, for its answer; undefined where it is open no more. */
  take(id: number): (More & Answer) | undefined {
    const taken = this.#open.get(id);
    this.#open.delete(id);
    if (this.#open.size === 0) this.#pulse.stop();
    return taken;
  }
}
