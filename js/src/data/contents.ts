import type { LayoutMethod } from "./layout";

/** A row of the stage map: one kind, layer and head. */
export interface StageRow {
  readonly kind: string;
  readonly layer: number | null;
  readonly head: number | null;
  /** Length of the vectors at each position, 0 where there is no stage. */
  readonly widths: readonly number[];
}

/** What a page without a kernel has of what a kernel would answer. */
export interface Saved {
  /** Addresses of the stages whose vectors it has. */
  readonly stages: ReadonlySet<string>;
  /** Of the stages whose clusters it has. */
  readonly clusters: ReadonlySet<string>;
  /** The traces that it has, each an example's index and an answer's name: `traceKey`. */
  readonly traces: ReadonlySet<string>;
}

/** A trace that was saved, as one text. */
export function traceKey(row: number, answer: string): string {
  return `${row}\n${answer}`;
}

/** What there is to explore. */
export interface Contents {
  readonly n: number;
  readonly positions: readonly string[];
  readonly rows: readonly StageRow[];
  /** Kinds shown before all are asked for. */
  readonly defaultKinds: readonly string[];
  /** Whether the examples are texts, in which patterns are looked for. */
  readonly hasTexts: boolean;
  readonly concepts: readonly string[];
  /** What a concept says, in a sentence, by its name; of those that have one. */
  readonly descriptions: ReadonlyMap<string, string>;
  /** How the examples of a stage can be put on a plane. */
  readonly layouts: readonly LayoutMethod[];
  /** Concepts that are the rows and columns of the grid by default, by position. */
  readonly axes: Readonly<Record<string, readonly [string, string]>>;
  readonly answers: readonly {
    readonly name: string;
    readonly position: string;
    readonly title: string;
  }[];
  /** Whether a typed text can become an example. */
  readonly canParse: boolean;
  /** Whether there is a model that can be asked what it would answer. */
  readonly hasModel: boolean;
  /** What was saved, where no kernel can be asked for more; else null. */
  readonly saved: Saved | null;
}

/** The kinds of the rows shown, each once. */
export function shownKinds({ rows, defaultKinds }: Contents, all: boolean): string[] {
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  return all ? kinds : kinds.filter((kind) => defaultKinds.includes(kind));
}

export interface Labels {
  readonly length: number;
  at(example: number): string;
}

type Codes = Uint8Array | Uint16Array | Uint32Array;

/** All tokens that a model is fed, where the positions are only some of them. */
export interface Fed {
  /** Of one text after the other. */
  readonly ids: Codes;
  /** Where each text starts, and the end of the last. */
  readonly starts: Codes;
  /** The text that each example is of. */
  readonly texts: Codes;
  /** (n, positions), row-major: a position's place in its text; the text's length where it has none. */
  readonly columns: Codes;
}

export interface Tokens {
  /** (n, positions), row-major. */
  readonly ids: Codes;
  readonly positions: number;
  readonly vocabulary: Readonly<Record<string, string>>;
  /** The right token of each example, one array for each answer. */
  readonly answers: readonly Codes[];
  /** Null where the positions are all the tokens. */
  readonly fed: Fed | null;
}
