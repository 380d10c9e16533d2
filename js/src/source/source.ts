import type { Atlas } from "../compute/atlas";
import type { Coded } from "../compute/blocks";
import type { Partition } from "../compute/shared";
import type { Swap, SwapTest, Tested } from "./swap";
import type { Trace } from "./trace";

/** A row of the stage map: one kind, layer and head. */
export interface StageRow {
  readonly kind: string;
  readonly layer: number | null;
  readonly head: number | null;
  /** Length of the vectors at each position, 0 where there is no stage. */
  readonly widths: readonly number[];
}

/** What there is to explore. */
export interface Contents {
  readonly n: number;
  readonly positions: readonly string[];
  readonly rows: readonly StageRow[];
  /** Kinds shown before all are asked for. */
  readonly defaultKinds: readonly string[];
  readonly concepts: readonly string[];
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
}

export interface Labels {
  readonly length: number;
  at(example: number): string;
}

export interface Tokens {
  /** (n, positions), row-major. */
  readonly ids: Uint8Array | Uint16Array | Uint32Array;
  readonly positions: number;
  readonly vocabulary: Readonly<Record<string, string>>;
  /** The right token of each example, one array for each answer. */
  readonly answers: readonly (Uint8Array | Uint16Array | Uint32Array)[];
}

/** The vectors of all examples at one stage. */
export interface Matrix {
  readonly stage: string;
  /** (n, d), row-major. */
  readonly values: Float32Array;
  readonly d: number;
  /** Names of the columns, where they are positions looked at. */
  readonly columns: readonly string[] | null;
}

/** Distances that the source computed, where a matrix is too large to bring here. */
export interface Distances {
  readonly stage: string;
  readonly row: number;
  readonly values: Float32Array;
  /** The selected example's vector, (d,). */
  readonly vector: Float32Array;
  readonly columns: readonly string[] | null;
}

/** What the model would answer if it stopped at a stage, or what the stage adds to the answer. */
export interface Lens {
  readonly stage: string;
  /** The example it is about. */
  readonly row: number;
  readonly available: boolean;
  /** Why there is nothing to show, in words. */
  readonly reason: string;
  readonly kind: "probability" | "contribution";
  /** The strongest tokens, strongest first. */
  readonly tokens: readonly { readonly text: string; readonly value: number }[];
  /** The answer asked for there: its name, its right token, and whether that is the strongest. */
  readonly answer: {
    readonly name: string;
    readonly text: string;
    readonly right: boolean;
  } | null;
  /** At how many of the neighbors the strongest token is the same. */
  readonly same: number;
  readonly of: number;
}

/** What the grid is colored by where that is the clusters of the stage. */
export const CLUSTER = "cluster";

/** Groups of examples that lie together at a stage, named in words. */
export interface Clusters extends Coded {
  readonly stage: string;
}

export interface Found {
  readonly index: number;
  /** Whether the example was added, so that there is more to read than before. */
  readonly added: boolean;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly text: string;
}

/** How a caller follows a request that takes time, and takes it back. */
export interface Call {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Where examples and stage matrices come from. A call taken back rejects with an `AbortError`. */
export interface Source {
  contents(call?: Call): Promise<Contents>;
  labels(call?: Call): Promise<Labels>;
  tokens(call?: Call): Promise<Tokens>;
  concepts(names: readonly string[], call?: Call): Promise<Coded[]>;
  matrix(stage: string, call?: Call): Promise<Matrix>;
  /** The matrix if it is here already. */
  held(stage: string): Matrix | undefined;
  distances(stage: string, row: number, k: number, call?: Call): Promise<Distances>;
  find(text: string, call?: Call): Promise<Found>;
  /** Gets the stages of the stage map ready ahead of being asked for. */
  prepare(call?: Call): Promise<void>;
  /** The concepts as groups of examples that can be compared. */
  partitions(call?: Call): Promise<Partition[]>;
  /** Explained shares at all stages of some kinds. */
  atlas(kinds: readonly string[], call?: Call): Promise<Atlas>;
  lens(stage: string, row: number, k: number, call?: Call): Promise<Lens>;
  clusters(stage: string, call?: Call): Promise<Clusters>;
  /** Answers to `receiver` with the vector of `donor`; `free` feeds the model's own answers back. */
  swap(stage: string, receiver: number, donor: number, free: boolean, call?: Call): Promise<Swap>;
  /** The swap test of a stage; at once where it was asked for before. */
  certificate(stage: string, call?: Call): Promise<SwapTest>;
  /** The swap tests that are known, in short, by stage. */
  certificates(call?: Call): Promise<ReadonlyMap<string, Tested>>;
  /** What the answers to an example say, one short text for each answer, "" where there is none. */
  captions(row: number, call?: Call): Promise<readonly string[]>;
  /** The stages that an answer to an example came through. */
  trace(row: number, answer: string, call?: Call): Promise<Trace>;
  /** Forgets what it holds: the examples or the model have changed. */
  forget(): void;
}

export function aborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
