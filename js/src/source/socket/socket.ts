import type { Call } from "../source";
import type { Requests, What } from "../wire/messages";
import { OpenRequests, takenBack } from "../wire/open";
import { Pulse } from "../wire/pulse";
import { Gone, type Heard, type Reply, type Transport } from "../wire/transport";
import { Arriving, type ServerMessage } from "./frames";

/** The server closes with these codes: see `clusterwidget/publish/server/visitor.py`. */
const IDLE = 4408;
const WHY: Readonly<Record<number, string>> = {
  4400: "The server could not read what this page sent, and closed the connection.",
  4429: "This page asked too much of the server, which closed the connection.",
  4503: "The server has as many visitors as it can take.",
};
const GONE = "The server cannot be reached.";
const AGAIN = "Trying again…";
/** A page on a slow connection hears nothing while a piece of an answer is under way. */
const SILENT_MS = 15_000;
const RETRY_MS = 1000;
const MOST_RETRY_MS = 30_000;

/**
 * Requests over a WebSocket.
 *
 * Where the connection ends, open requests fail and it is tried again, ever less often. A server
 * closes what is idle: then nothing is said, and the next request opens it. A server remembers
 * nothing about a page, so that any other can take its place: what was typed is typed again.
 */
export class SocketTransport implements Transport {
  readonly #url: string;
  readonly #heard: Heard;
  readonly #pulse = new Pulse(
    (silentMs) => {
      if (silentMs !== null) return;
      const socket = this.#socket;
      this.#lost(0);
      socket?.close();
    },
    () => SILENT_MS,
  );
  readonly #waiting = new OpenRequests<object>(this.#pulse);
  /** What was typed and added, in order. */
  readonly #typed: string[] = [];
  #socket: WebSocket | null = null;
  #opening: Promise<void> | null = null;
  #arriving: Arriving | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #gone = false;
  #ended = false;

  /**
   * @param url of the WebSocket
   * @param heard told when the examples are others, and of the server's end and return
   * @param signal ends it: open requests are cancelled
   */
  constructor(url: string, heard: Heard, signal: AbortSignal) {
    this.#url = url;
    this.#heard = heard;
    const now = () => {
      if (this.#gone && document.visibilityState === "visible") this.#tryAgain();
    };
    addEventListener("online", now, { signal });
    document.addEventListener("visibilitychange", now, { signal });
    signal.addEventListener("abort", () => {
      this.#ended = true;
      clearTimeout(this.#retry);
      this.#failAll(takenBack());
      this.#socket?.close();
    });
  }

  async request<W extends What>(what: W, args: Requests[W], call: Call = {}): Promise<Reply<W>> {
    if (this.#gone) throw new Gone(GONE);
    await this.#open();
    const reply = await this.#ask(what, args, call);
    if (what === "find") this.#remember(args as Requests["find"], reply.fields as never);
    return reply;
  }

  #ask<W extends What>(what: W, args: Requests[W], call: Call = {}): Promise<Reply<W>> {
    return this.#waiting.ask<W>(
      call,
      () => ({}),
      (id) => this.#send({ ...args, type: "request", id, what }),
      (id) => {
        this.#send({ type: "cancel", id });
        this.#waiting.take(id)?.reject(takenBack());
      },
    );
  }

  #remember({ text }: Requests["find"], { added }: { readonly added: boolean }): void {
    if (added) this.#typed.push(text);
  }

  #send(message: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #failAll(error: Error): void {
    for (const id of this.#waiting.ids) this.#waiting.take(id)?.reject(error);
  }

  /** Resolves once the connection is open and the server knows what was typed here. */
  #open(): Promise<void> {
    if (this.#opening) return this.#opening;
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#arriving = null;
    const opened = new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onclose = ({ code }) => {
        reject(new Gone(GONE));
        if (this.#socket === socket) this.#lost(code);
      };
    });
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#receive(data);
    };
    this.#opening = opened.then(async () => {
      await this.#typeAgain();
      this.#attempts = 0;
    });
    return this.#opening;
  }

  async #typeAgain(): Promise<void> {
    try {
      for (const text of this.#typed) await this.#ask("find", { text });
    } catch (error) {
      if (error instanceof Gone) throw error;
      // This server takes no typed examples, or not so many: the page goes on without.
      this.#typed.length = 0;
      this.#heard.changed();
    }
  }

  #lost(code: number): void {
    this.#socket = null;
    this.#opening = null;
    this.#arriving = null;
    const idle = code === IDLE && this.#waiting.size === 0;
    this.#failAll(new Gone(GONE));
    if (this.#ended || idle) return;
    this.#gone = true;
    this.#heard.gone(`${WHY[code] ?? GONE} ${AGAIN}`);
    const wait = Math.min(RETRY_MS * 2 ** this.#attempts, MOST_RETRY_MS);
    this.#attempts += 1;
    clearTimeout(this.#retry);
    // Not all at once: a server that starts again has many pages to come back.
    this.#retry = setTimeout(() => this.#tryAgain(), wait * (0.5 + Math.random()));
  }

  #tryAgain(): void {
    clearTimeout(this.#retry);
    if (this.#ended || this.#opening) return;
    this.#open().then(
      () => {
        this.#gone = false;
        this.#heard.back();
      },
      // The next attempt is under way.
      () => undefined,
    );
  }

  #receive(data: unknown): void {
    this.#pulse.heard();
    if (typeof data !== "string") {
      this.#arriving?.take(new Uint8Array(data as ArrayBuffer));
      this.#finish();
      return;
    }
    const message = JSON.parse(data) as ServerMessage;
    switch (message.type) {
      case "changed":
        this.#heard.changed();
        break;
      case "progress": {
        const { done, total, text } = message;
        this.#waiting.get(message.id)?.call.onProgress?.({ done, total, text });
        break;
      }
      case "reply":
        this.#arriving = new Arriving(message);
        this.#finish();
        break;
      case "error":
        this.#waiting.take(message.id)?.reject(new Error(message.message));
        break;
      case "cancelled":
        this.#waiting.take(message.id)?.reject(takenBack());
        break;
    }
  }

  #finish(): void {
    const arriving = this.#arriving;
    if (!arriving?.complete) return;
    this.#arriving = null;
    const { head, buffers } = arriving;
    // Which reply it is follows from its id: that of the request which has these fields.
    this.#waiting.take(head.id)?.resolve({ fields: head as never, buffers });
  }
}
