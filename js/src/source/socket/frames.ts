/** What a server sends that is no array: the other side of `clusterwidget/publish/server/framing.py`. */
export type ServerMessage =
  | { readonly type: "changed" | "alive" }
  | {
      readonly type: "progress";
      readonly id: number;
      readonly done: number;
      readonly total: number;
      readonly text: string;
    }
  | { readonly type: "error"; readonly id: number; readonly message: string }
  | { readonly type: "cancelled"; readonly id: number }
  | ReplyHead;

/** A reply's fields; its arrays follow, as bytes of these sizes. */
export interface ReplyHead {
  readonly type: "reply";
  readonly id: number;
  readonly sizes: readonly number[];
}

/** Numbers are read in place, at multiples of their size. */
const ALIGNED = 8;

/** Puts the arrays of a reply together from the pieces that they come in. */
export class Arriving {
  readonly head: ReplyHead;
  readonly buffers: readonly Uint8Array[];
  #buffer = 0;
  #at = 0;

  constructor(head: ReplyHead) {
    this.head = head;
    const starts: number[] = [];
    let bytes = 0;
    for (const size of head.sizes) {
      starts.push(bytes);
      bytes += Math.ceil(size / ALIGNED) * ALIGNED;
    }
    const all = new ArrayBuffer(bytes);
    this.buffers = head.sizes.map((size, i) => new Uint8Array(all, starts[i], size));
    this.#skipFull();
  }

  get complete(): boolean {
    return this.#buffer === this.buffers.length;
  }

  /** Takes the next piece; it ends where its array does, or before. */
  take(piece: Uint8Array): void {
    const buffer = this.buffers[this.#buffer];
    if (!buffer || this.#at + piece.length > buffer.length) {
      throw new Error("The server sent more than it said it would. Load the page again.");
    }
    buffer.set(piece, this.#at);
    this.#at += piece.length;
    this.#skipFull();
  }

  #skipFull(): void {
    while (this.#buffer < this.buffers.length && this.#at === this.#size()) {
      this.#buffer += 1;
      this.#at = 0;
    }
  }

  #size(): number {
    return this.buffers[this.#buffer]?.length ?? 0;
  }
}
