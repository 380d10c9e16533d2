import type { Call } from "../source";
import type { Replies, Requests, What } from "./messages";

/** What came back for a request: its fields, and arrays beside them. */
export interface Reply<W extends What> {
  readonly fields: Replies[W];
  readonly buffers: readonly Uint8Array[];
}

/**
 * What carries requests to whoever answers them, and the replies back: a kernel's comm, a socket,
 * or a page's own records. It rejects with what went wrong in words, and with an `AbortError`
 * where the call was taken back.
 */
export interface Transport {
  request<W extends What>(what: W, fields: Requests[W], call?: Call): Promise<Reply<W>>;
}

/** Told of what happens without being asked for. */
export interface Heard {
  /** The examples or the model behind the widget are others. */
  changed(): void;
  /** Whoever answers is gone, in words. */
  gone(words: string): void;
  /** The kernel that was said to be gone is there; what was asked of it meanwhile is lost. */
  back(): void;
}

/** The message could not be sent: there is no kernel. */
export class Unreachable extends Error {}

/** The kernel died while it was asked for something. */
export class Gone extends Error {}
