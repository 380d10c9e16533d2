import type { Labels } from "../data/contents";

/** Finds a text in all labels at once: they are kept as one string, in lower case. */
export class LabelSearch {
  readonly #text: string;
  /** Where each label begins, and where the last one ends, (n + 1,). */
  readonly #starts: Uint32Array;

  constructor(labels: Labels) {
    const lower = Array.from({ length: labels.length }, (_, i) => labels.at(i).toLowerCase());
    this.#text = lower.join("");
    this.#starts = new Uint32Array(lower.length + 1);
    lower.forEach((label, i) => {
      this.#starts[i + 1] = (this.#starts[i] as number) + label.length;
    });
  }

  /** Whether each label has the text in it, whatever its case, 1 or 0, (n,). */
  containing(text: string): Uint8Array {
    const starts = this.#starts;
    const n = starts.length - 1;
    const sought = text.toLowerCase();
    const out = new Uint8Array(n);
    if (sought === "") return out.fill(1);
    let label = 0;
    for (let at = this.#text.indexOf(sought); at >= 0; ) {
      while ((starts[label + 1] as number) <= at) label++;
      const end = starts[label + 1] as number;
      if (at + sought.length <= end) {
        out[label] = 1;
        at = this.#text.indexOf(sought, end);
      } else {
        // It runs over into the next label.
        at = this.#text.indexOf(sought, at + 1);
      }
    }
    return out;
  }
}
