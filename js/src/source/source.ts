import type { Atlas } from "../data/atlas";
import type { Clusters, Coded, Partitions } from "../data/concepts";
import type { Contents, Labels, Tokens } from "../data/contents";
import type { Layout, LayoutMethod } from "../data/layout";
import type { Left } from "../data/left";
import type { Lens } from "../data/lens";
import type { Distances, Matrix } from "../data/matrix";
import type { Metric } from "../data/metric";
import type { SecondPart, StageParts } from "../data/parts";
import type { Swap } from "../data/swap";
import type { KnownTests, SwapTest } from "../data/swaptest";
import type { SharedTexts } from "../data/texts";
import type { Trace } from "../data/trace";

export interface Found {
  readonly index: number;
  /** Whether the example was added, so that there is more to read than before. */
  readonly added: boolean;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly text: string;
  /** What is counted, where the text does not say it. */
  readonly unit?: string;
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
  /** The vectors of a stage, or what is left of them. */
  matrix(left: Left, call?: Call): Promise<Matrix>;
  /** The matrix if it is here already. */
  held(left: Left): Matrix | undefined;
  distances(left: Left, row: number, call?: Call): Promise<Distances>;
  find(text: string, call?: Call): Promise<Found>;
  /** Loads the model, where that was put off until it is needed. */
  load(call?: Call): Promise<void>;
  /** Gets the stages of the stage map ready ahead of being asked for. */
  prepare(call?: Call): Promise<void>;
  /** The concepts as groups of examples that can be compared. */
  partitions(call?: Call): Promise<Partitions>;
  /** Explained shares at all stages of some kinds, in the `first` so many examples or, null, in all. */
  atlas(
    kinds: readonly string[],
    first: number | null,
    metric: Metric,
    call?: Call,
  ): Promise<Atlas>;
  lens(stage: string, row: number, k: number, metric: Metric, call?: Call): Promise<Lens>;
  /** What the texts of the k neighbors of an example share. */
  sharedTexts(left: Left, row: number, k: number, call?: Call): Promise<SharedTexts>;
  clusters(left: Left, call?: Call): Promise<Clusters>;
  /** The examples of a stage, or of what is left of it, as points of a plane. */
  layout(left: Left, method: LayoutMethod, call?: Call): Promise<Layout>;
  /** The same if it is here already. */
  heldLayout(left: Left, method: LayoutMethod): Layout | undefined;
  /** What a stage is made of, and the components of what is left of it. */
  parts(left: Left, call?: Call): Promise<StageParts>;
  /** The second part of the stages of some kinds. */
  secondParts(
    kinds: readonly string[],
    metric: Metric,
    call?: Call,
  ): Promise<ReadonlyMap<string, SecondPart>>;
  /** Makes a concept of a component's ranges, or, null, of the clusters; its name. */
  conceptOf(left: Left, component: number | null, call?: Call): Promise<string>;
  /** Makes a concept of chosen examples, given as a text; its name. */
  conceptOfChosen(name: string, chosen: string, call?: Call): Promise<string>;
  /** Answers to `receiver` with the vector of `donor`; `free` feeds the model's own answers back. */
  swap(stage: string, receiver: number, donor: number, free: boolean, call?: Call): Promise<Swap>;
  /**
   * The swap test of a stage; at once where it was asked for before.
   * @param pairs how many, or null for as many as by default
   * @param metric by which donors are near
   */
  swapTest(stage: string, pairs: number | null, metric: Metric, call?: Call): Promise<SwapTest>;
  /** Adds the stage's parts until the swap test says that they are enough. */
  account(stage: string, metric: Metric, call?: Call): Promise<SwapTest>;
  /** The swap tests that are known, and the stages of some kinds that there could be one of. */
  swapTests(kinds: readonly string[], metric: Metric, call?: Call): Promise<KnownTests>;
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
