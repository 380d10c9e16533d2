import type { Left } from "./left";

/** A pattern that more of the near texts have than chance would give. */
export interface SharedPattern {
  readonly text: string;
  /** "here", "1 before" and so on, "before" or "anywhere". */
  readonly where: string;
  /** Of the neighbors, and of all other examples. */
  readonly share: number;
  readonly base: number;
  readonly p: number;
  /** Of each match in turn the example, its first token and the one after its last. */
  readonly matches: Uint32Array;
}

/** What the texts of the k neighbors of an example share, the strongest first. */
export interface SharedTexts extends Left {
  readonly row: number;
  readonly k: number;
  readonly patterns: readonly SharedPattern[];
}
