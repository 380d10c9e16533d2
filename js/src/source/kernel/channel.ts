import type { Call } from "../source";

export type Listener = (message: unknown, buffers: unknown[]) => void;

/** The part of an anywidget model that messages go through. */
export interface MessagePort {
  send(content: unknown): void;
  on(event: string, listener: Listener): void;
  off(event: string, listener: Listener): void;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface Reply {
  readonly fields: Fields;
  readonly buffers: readonly Uint8Array[];
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly call: Call;
}

/** The message could not be sent: there is no kernel. */
export class Unreachable extends Error {}

/** Host-dependent: messages bring a `DataView` (a part of a larger buffer) or an `ArrayBuffer`. */
function bytesOf(buffer: unknown): Uint8Array {
  if (ArrayBuffer.isView(buffer)) {
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }
  return new Uint8Array(buffer as ArrayBuffer);
}

/** Requests over a stream of messages: each has an id, and gets progress and then one answer. */
export class Channel {
  readonly #port: MessagePort;
  readonly #view = Math.random().toString(36).slice(2);
  readonly #waiting = new Map<number, Waiting>();
  readonly #changed: () => void;
  #lastId = 0;

  constructor(port: MessagePort, changed: () => void, signal: AbortSignal) {
    this.#port = port;
    this.#changed = changed;
    port.on("msg:custom", this.#receive);
    signal.addEventListener("abort", () => {
      port.off("msg:custom", this.#receive);
      for (const id of [...this.#waiting.keys()]) this.#cancel(id);
      this.#leave();
    });
  }

  request(what: string, args: Fields = {}, call: Call = {}): Promise<Reply> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (call.signal?.aborted) {
        reject(new DOMException("cancelled", "AbortError"));
        return;
      }
      const abort = () => this.#cancel(id);
      call.signal?.addEventListener("abort", abort);
      const settled = () => call.signal?.removeEventListener("abort", abort);
      this.#waiting.set(id, {
        resolve: (reply) => {
          settled();
          resolve(reply);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
        call,
      });
      try {
        this.#port.send({ ...args, type: "request", id, view: this.#view, what });
      } catch (error) {
        this.#take(id)?.reject(new Unreachable("No kernel answers.", { cause: error }));
      }
    });
  }

  /** Tells the kernel that this view is gone, so that it need not hold what only it looked at. */
  #leave(): void {
    try {
      this.#port.send({ type: "bye", view: this.#view });
    } catch {
      // Where there is no kernel, there is nothing to let go of.
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #cancel(id: number): void {
    const waiting = this.#take(id);
    if (!waiting) return;
    try {
      this.#port.send({ type: "cancel", id, view: this.#view });
    } finally {
      waiting.reject(new DOMException("cancelled", "AbortError"));
    }
  }

  #receive = (message: unknown, buffers: unknown[]): void => {
    const fields = message as Fields;
    if (fields.type === "changed") {
      this.#changed();
      return;
    }
    if (fields.view !== this.#view) return;
    const id = Number(fields.id);
    switch (fields.type) {
      case "progress":
        this.#waiting.get(id)?.call.onProgress?.({
          done: Number(fields.done),
          total: Number(fields.total),
          text: String(fields.text ?? ""),
        });
        break;
      case "reply":
        this.#take(id)?.resolve({ fields, buffers: (buffers ?? []).map(bytesOf) });
        break;
      case "error":
        this.#take(id)?.reject(new Error(String(fields.message)));
        break;
      case "cancelled":
        this.#take(id)?.reject(new DOMException("cancelled", "AbortError"));
        break;
    }
  };
}
