import type { Coded } from "../data/concepts";

/** One axis of the arrangement: each example's place along it, and what is written at the edge. */
export interface Axis {
  readonly name: string;
  readonly labels: readonly string[];
  readonly places: Uint16Array;
}

/** Which block each example is in. Blocks are numbered row by row. */
export interface Blocks {
  readonly rows: Axis | null;
  readonly columns: Axis | null;
  /** Block of each example. */
  readonly blockOf: Uint32Array;
  /** Examples before each block, (blocks + 1,). */
  readonly starts: Uint32Array;
  /** Most examples in one block. */
  readonly capacity: number;
}

const MOST_PLACES = 24;
const BINS = 20;

/** Axis of a concept; values too many to tell apart are taken together, in their order. */
export function axisOf(concept: Coded): Axis {
  const { values, codes, missing } = concept;
  const binned = values.length > MOST_PLACES;
  const places = binned ? BINS : values.length;
  const placeOf = (code: number) => (binned ? Math.floor((code * BINS) / values.length) : code);
  const firsts: string[] = [];
  const lasts: string[] = [];
  values.forEach((value, code) => {
    const place = placeOf(code);
    firsts[place] ??= value;
    lasts[place] = value;
  });
  const labels = firsts.map((first, i) => (first === lasts[i] ? first : `${first}–${lasts[i]}`));
  const out = new Uint16Array(codes.length);
  let anyMissing = false;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    if (code === missing) anyMissing = true;
    out[i] = code === missing ? places : placeOf(code);
  }
  if (anyMissing) labels.push("none");
  return { name: concept.name, labels, places: out };
}

/** Blocks of all pairs of places on two axes. */
export function blocksBy(rows: Axis, columns: Axis): Blocks {
  const n = rows.places.length;
  const across = columns.labels.length;
  const starts = new Uint32Array(rows.labels.length * across + 1);
  const blockOf = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const block = (rows.places[i] as number) * across + (columns.places[i] as number);
    blockOf[i] = block;
    (starts[block + 1] as number)++;
  }
  let capacity = 0;
  for (let b = 1; b < starts.length; b++) {
    capacity = Math.max(capacity, starts[b] as number);
    starts[b] = (starts[b] as number) + (starts[b - 1] as number);
  }
  return { rows, columns, blockOf, starts, capacity };
}

/** All examples in one block, for the plain order. */
export function oneBlock(n: number): Blocks {
  const starts = Uint32Array.of(0, n);
  return { rows: null, columns: null, blockOf: new Uint32Array(n), starts, capacity: n };
}

/** Where every example lies: block by block, nearest first inside a block. */
export interface Arrangement {
  readonly blocks: Blocks;
  /** Examples in the order of their places, (n,). */
  readonly examples: Uint32Array;
  /** Place of each example, the inverse, (n,). */
  readonly places: Uint32Array;
}

export function emptyArrangement(blocks: Blocks): Arrangement {
  const n = blocks.blockOf.length;
  return { blocks, examples: new Uint32Array(n), places: new Uint32Array(n) };
}

/** Fills `arrangement` by distance; `order` holds the examples nearest first. */
export function arrangeByDistance(arrangement: Arrangement, order: Uint32Array): void {
  const { blocks, examples, places } = arrangement;
  const next = blocks.starts.slice();
  for (let i = 0; i < order.length; i++) {
    const e = order[i] as number;
    const block = blocks.blockOf[e] as number;
    const place = next[block] as number;
    next[block] = place + 1;
    examples[place] = e;
    places[e] = place;
  }
}

/** Fills `arrangement` in the examples' own order. */
export function arrangePlainly(arrangement: Arrangement): void {
  for (let i = 0; i < arrangement.examples.length; i++) {
    arrangement.examples[i] = i;
    arrangement.places[i] = i;
  }
}
