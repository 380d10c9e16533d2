import type { Call } from "../source";
import type { Message, Part, Requests, What } from "../wire/messages";
import { OpenRequests, takenBack } from "../wire/open";
import { Pulse } from "../wire/pulse";
import { Gone, type Heard, type Reply, type Transport, Unreachable } from "../wire/transport";
import { Incoming, Outgoing } from "./parts";

export type Listener = (message: unknown, buffers: unknown[]) => void;

/** The part of an anywidget model that messages go through. */
export interface MessagePort {
  send(content: unknown): void;
  on(event: string, listener: Listener): void;
  off(event: string, listener: Listener): void;
}

/** What is known of a request. */
interface Sent {
  /** When it was sent, on the page's clock, in ms. */
  readonly sent: number;
  /** Whether the kernel has said that it has it. Until then a cell may run that it waits for. */
  known: boolean;
  /** The answer, where it comes in parts. */
  readonly incoming: Incoming;
  /** The request, where it goes in parts. */
  readonly outgoing: Outgoing | null;
}

export const GONE = "The kernel is gone. Run the cell again to explore.";
/** The kernel sends a message every 500 ms; a busy machine may be two seconds late. */
const LIMIT_MS = 2600;
/** What it says may wait behind a part of a large answer. */
const READING_LIMIT_MS = 30_000;
const WAITING = "waiting for the kernel, which is busy";
const READ_IN_PART =
  "A part of the kernel's answer did not arrive, though it was asked for again. Try once more.";
const SENT_IN_PART =
  "The kernel did not take all of the request, which is large. Wait until no cell runs, and try again.";
const SAID_TO_WAIT_AFTER_MS = 1000;

/** Host-dependent: messages bring a `DataView` (a part of a larger buffer) or an `ArrayBuffer`. */
function bytesOf(buffer: unknown): Uint8Array {
  if (ArrayBuffer.isView(buffer)) {
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }
  return new Uint8Array(buffer as ArrayBuffer);
}

/**
 * Requests over a stream of messages: each has an id, and gets progress and then one answer.
 *
 * While requests are open the kernel sends messages without end; where they stop, it is gone. A
 * request that it has not said to have may only wait for a cell that runs. What is large comes and
 * goes in parts; those that are lost are asked for, or sent, again.
 */
export class Channel implements Transport {
  readonly #port: MessagePort;
  readonly #view = Math.random().toString(36).slice(2);
  readonly #heard: Heard;
  readonly #pulse = new Pulse(
    (silentMs) => this.#beat(silentMs),
    () => {
      const reading = this.#waiting.all.some(({ incoming }) => incoming.begun);
      return reading ? READING_LIMIT_MS : LIMIT_MS;
    },
  );
  readonly #waiting = new OpenRequests<Sent>(this.#pulse);
  /** Requests that were given up, since the kernel was gone. */
  readonly #lost = new Set<number>();
  #gone = false;

  /**
   * @param heard told when the examples are others, and of the kernel's end
   * @param signal ends it: listeners go, open requests are cancelled
   */
  constructor(port: MessagePort, heard: Heard, signal: AbortSignal) {
    this.#port = port;
    this.#heard = heard;
    port.on("msg:custom", this.#receive);
    port.on("comm:close", this.#die);
    signal.addEventListener("abort", () => {
      port.off("msg:custom", this.#receive);
      port.off("comm:close", this.#die);
      for (const id of this.#waiting.ids) this.#cancel(id);
      this.#leave();
    });
  }

  request<W extends What>(what: W, args: Requests[W], call: Call = {}): Promise<Reply<W>> {
    const asked = (id: number) => ({ ...args, type: "request", id, view: this.#view, what });
    return this.#waiting.ask<W>(
      call,
      (id) => {
        const text = JSON.stringify(asked(id));
        return {
          sent: performance.now(),
          known: false,
          incoming: new Incoming(),
          outgoing: Outgoing.needed(text) ? new Outgoing(text) : null,
        };
      },
      (id, { outgoing }) => {
        try {
          if (outgoing) this.#sendParts(id, outgoing, outgoing.further());
          else this.#port.send(asked(id));
        } catch (error) {
          const unreachable = new Unreachable("No kernel answers.", { cause: error });
          this.#waiting.take(id)?.reject(unreachable);
        }
      },
      (id) => this.#cancel(id),
    );
  }

  /** Tells the kernel that this view is gone, so that it need not hold what only it looked at. */
  #leave(): void {
    try {
      this.#port.send({ type: "bye", view: this.#view });
    } catch {
      // Where there is no kernel, there is nothing to let go of.
    }
  }

  #cancel(id: number): void {
    const waiting = this.#waiting.take(id);
    if (!waiting) return;
    try {
      this.#tellCancelled(id);
    } finally {
      waiting.reject(takenBack());
    }
  }

  #tellCancelled(id: number): void {
    this.#port.send({ type: "cancel", id, view: this.#view });
  }

  #sendParts(id: number, outgoing: Outgoing, parts: readonly number[]): void {
    const about = { type: "part", id, view: this.#view, parts: outgoing.parts };
    for (const part of parts) this.#port.send({ ...about, part, text: outgoing.text(part) });
  }

  /** Tells the kernel what it does without where it is gone: then its silence says so. */
  #tell(about: "more" | "received", id: number, more: object = {}): void {
    try {
      this.#port.send({ type: about, id, view: this.#view, ...more });
    } catch {
      // As above.
    }
  }

  #beat(silentMs: number | null): void {
    for (const id of this.#waiting.ids) {
      const outgoing = this.#waiting.get(id)?.outgoing;
      if (outgoing && !outgoing.done) this.#sendAgain(id, outgoing);
    }
    const waiting = this.#waiting.all;
    if (silentMs === null) {
      // Once it was gone, there is no cell that a request could wait for.
      if (this.#gone || waiting.some(({ known }) => known)) this.#die();
      return;
    }
    const now = performance.now();
    for (const { known, sent, call } of waiting) {
      if (!known && now - sent >= SAID_TO_WAIT_AFTER_MS) {
        call.onProgress?.({ done: 0, total: 0, text: WAITING });
      }
    }
  }

  #die = (): void => {
    this.#gone = true;
    for (const id of this.#waiting.ids) {
      this.#lost.add(id);
      this.#waiting.take(id)?.reject(new Gone(GONE));
    }
    this.#heard.gone(GONE);
  };

  /** It was only slow, or the computer slept: what was given up is not wanted any more. */
  #revive(): void {
    this.#gone = false;
    for (const id of this.#lost) this.#tellCancelled(id);
    this.#lost.clear();
    this.#heard.back();
  }

  #receive = (content: unknown, buffers: unknown[]): void => {
    const message = content as Message;
    this.#pulse.heard();
    if (this.#gone) this.#revive();
    if (message.type === "changed") {
      this.#heard.changed();
      return;
    }
    if (message.view !== this.#view) return;
    switch (message.type) {
      case "alive":
        for (const id of message.open) this.#know(id);
        for (const id of message.unread) this.#askAgain(id);
        break;
      case "part":
        this.#read(message, (buffers ?? []).map(bytesOf));
        break;
      case "got":
        this.#sendFurther(message.id, message.part);
        break;
      case "progress":
        this.#know(message.id);
        this.#waiting.get(message.id)?.call.onProgress?.({
          done: message.done,
          total: message.total,
          text: message.text,
        });
        break;
      case "reply":
        // Which reply it is follows from its id: that of the request which has these fields.
        this.#waiting.take(message.id)?.resolve({
          fields: message as never,
          buffers: (buffers ?? []).map(bytesOf),
        });
        break;
      case "error":
        this.#waiting.take(message.id)?.reject(new Error(message.message));
        break;
      case "cancelled":
        this.#waiting.take(message.id)?.reject(takenBack());
        break;
    }
  };

  #read(part: Part, buffers: readonly Uint8Array[]): void {
    const { id } = part;
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#know(id);
    const { incoming, call } = waiting;
    incoming.take(part, buffers);
    const whole = incoming.whole();
    if (whole) {
      this.#tell("received", id);
      this.#waiting.take(id)?.resolve(whole as Reply<never>);
      return;
    }
    const parts = incoming.further();
    if (parts.length > 0) this.#tell("more", id, { parts });
    call.onProgress?.({ ...incoming.read, text: "reading", unit: "MB" });
  }

  /** The kernel has parts of an answer that are not all here, and says so again and again. */
  #askAgain(id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) {
      // It was called off when the first part was on its way.
      this.#tell("received", id);
      return;
    }
    const { incoming } = waiting;
    incoming.begun = true;
    const next = incoming.patience.sign();
    if (next === "ask") this.#tell("more", id, { parts: incoming.overdue() });
    if (next === "give up") {
      this.#tell("received", id);
      this.#waiting.take(id)?.reject(new Error(READ_IN_PART));
    }
  }

  #sendFurther(id: number, part: number): void {
    const outgoing = this.#waiting.get(id)?.outgoing;
    if (!outgoing) return;
    outgoing.got(part);
    this.#sendParts(id, outgoing, outgoing.further());
  }

  #sendAgain(id: number, outgoing: Outgoing): void {
    const next = outgoing.patience.sign();
    if (next === "ask") this.#sendParts(id, outgoing, outgoing.overdue());
    if (next === "give up") this.#waiting.take(id)?.reject(new Error(SENT_IN_PART));
  }

  #know(id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting || waiting.known) return;
    waiting.known = true;
    // No more said to wait.
    waiting.call.onProgress?.({ done: 0, total: 0, text: "" });
  }
}
