import type { Part } from "../wire/messages";

/** Signs of life without a part between them, after which what was asked for counts as lost. */
const QUIET_SIGNS = 3;
/** The same of the channel's own beats, four a second, where a part was sent. */
const QUIET_BEATS = 8;
/** Each time it is asked for again, twice as many; then it is given up. */
const MOST_ASKED = 6;
const MEGABYTE = 1e6;

/** What a large answer says, put together. */
export interface Whole {
  readonly fields: unknown;
  readonly buffers: readonly Uint8Array[];
}

/** Counts signs of life: a part that is overdue is asked for again, ever less often. */
class Patience {
  readonly #signs: number;
  #quiet = 0;
  #asked = 0;

  /** @param signs how many to wait before the first time */
  constructor(signs: number) {
    this.#signs = signs;
  }

  heard(): void {
    this.#quiet = 0;
    this.#asked = 0;
  }

  /** Another sign of life, and nothing else: whether to ask again now, or to give up. */
  sign(): "wait" | "ask" | "give up" {
    this.#quiet += 1;
    if (this.#quiet < this.#signs * 2 ** this.#asked) return "wait";
    this.#quiet = 0;
    this.#asked += 1;
    return this.#asked < MOST_ASKED ? "ask" : "give up";
  }
}

/** A large answer while its parts arrive, in any order. */
export class Incoming {
  readonly patience = new Patience(QUIET_SIGNS);
  /** Whether its parts are under way. */
  begun = false;
  #bytes: Uint8Array | null = null;
  #about: Part | null = null;
  readonly #here = new Set<number>();
  /** Parts below this one were sent or asked for. */
  #asked = 0;
  #read = 0;

  /** Takes a part. */
  take(about: Part, buffers: readonly Uint8Array[]): void {
    this.begun = true;
    this.patience.heard();
    if (this.#here.has(about.part)) return;
    this.#bytes ??= new Uint8Array(about.size);
    this.#about = about;
    this.#asked = Math.max(this.#asked, Math.min(about.at_a_time, about.parts));
    this.#here.add(about.part);
    let { at } = about;
    for (const bytes of buffers) {
      this.#bytes.set(bytes, at);
      at += bytes.byteLength;
    }
    this.#read += at - about.at;
  }

  /** So many MB of so many. */
  get read(): { readonly done: number; readonly total: number } {
    const total = Math.ceil((this.#about?.size ?? 0) / MEGABYTE);
    return { done: Math.min(total, Math.round(this.#read / MEGABYTE)), total };
  }

  /** The parts to ask for now, so that enough are under way; none until it is worth a message. */
  further(): number[] {
    if (!this.#about) return [];
    const { parts, at_a_time } = this.#about;
    const underWay = this.#asked - this.#here.size;
    if (underWay > at_a_time / 2 || this.#asked === parts) return [];
    const from = this.#asked;
    this.#asked = Math.min(parts, from + at_a_time - underWay);
    return range(from, this.#asked);
  }

  /** Those that were sent or asked for and are not here; the first ones, if none is. */
  overdue(): number[] {
    if (!this.#about) return [0];
    return range(0, this.#asked).filter((part) => !this.#here.has(part));
  }

  /** The answer, once every part is here. */
  whole(): Whole | null {
    const bytes = this.#bytes;
    if (!this.#about || !bytes || this.#here.size < this.#about.parts) return null;
    const { text } = this.#about;
    const { fields, sizes } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, text)));
    let at = aligned(text);
    const buffers = (sizes as number[]).map((size) => {
      const buffer = bytes.subarray(at, at + size);
      at += aligned(size);
      return buffer;
    });
    return { fields, buffers };
  }
}

const TEXT_PART = 2 ** 18;
const TEXT_AT_A_TIME = 4;

/** A large request while its parts are sent. */
export class Outgoing {
  readonly patience = new Patience(QUIET_BEATS);
  readonly #text: string;
  readonly parts: number;
  readonly #unheard = new Set<number>();
  #sent = 0;

  /** @param text JSON; sent in ASCII, which can be cut anywhere */
  constructor(text: string) {
    this.#text = text.replace(
      /[\u0080-\uffff]/g,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    this.parts = Math.ceil(this.#text.length / TEXT_PART);
  }

  /** Whether a request must be sent in parts. */
  static needed(text: string): boolean {
    return text.length > TEXT_PART;
  }

  text(part: number): string {
    return this.#text.slice(part * TEXT_PART, (part + 1) * TEXT_PART);
  }

  /** The parts to send now. */
  further(): number[] {
    const from = this.#sent;
    this.#sent = Math.min(this.parts, from + TEXT_AT_A_TIME - this.#unheard.size);
    const parts = range(from, this.#sent);
    for (const part of parts) this.#unheard.add(part);
    return parts;
  }

  /** The kernel has a part. */
  got(part: number): void {
    this.patience.heard();
    this.#unheard.delete(part);
  }

  /** Those that were sent, and that the kernel has not said to have. */
  overdue(): number[] {
    return [...this.#unheard];
  }

  get done(): boolean {
    return this.#sent === this.parts && this.#unheard.size === 0;
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** Numbers are read in place, at multiples of their size. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
