import type { Coded, Partitions } from "../data/concepts";
import { chanceOfAtLeast, corrected } from "./chance";

/** How many neighbors of an example have its value of one concept. */
export interface Shared {
  readonly partition: Coded;
  /** The selected example's code. */
  readonly code: number;
  /** Share of the neighbors with that value, and of all others. */
  readonly share: number;
  readonly base: number;
  /** What is left of the share beyond chance, and the same in the wide look. */
  readonly agreement: number;
  readonly wideAgreement: number;
  /** Chance of at least such a share, corrected over concepts. */
  readonly p: number;
  /** The coarser concept that says the same. */
  readonly under: Coded | null;
}

/** A strongest concept with the finer ones that say the same. */
export interface SharedGroup {
  readonly head: Shared;
  readonly nested: readonly Shared[];
}

/** Finds what neighbors share. What depends on the concepts alone is computed once and kept. */
export class SharedConcepts {
  readonly partitions: Partitions;
  readonly #sizes: readonly Uint32Array[];

  constructor(partitions: Partitions) {
    this.partitions = partitions;
    this.#sizes = partitions.all.map(({ codes, values, missing }) => {
      const sizes = new Uint32Array(values.length);
      for (const code of codes) if (code !== missing) (sizes[code] as number)++;
      return sizes;
    });
  }

  /**
   * One row for each concept that the selected example has a value of: the strongest at the wide
   * look first, and after it what is nested with it and says the same.
   *
   * @param near the neighbors, (k,)
   * @param wide the neighbors in the wide look
   */
  of(selected: number, near: Uint32Array, wide: Uint32Array): Shared[] {
    const rows: (Shared & { index: number })[] = [];
    this.partitions.all.forEach((partition, index) => {
      const code = partition.codes[selected] as number;
      if (code === partition.missing) return;
      const others = partition.codes.length - 1;
      const alike = ((this.#sizes[index] as Uint32Array)[code] as number) - 1;
      const base = alike / others;
      const beyond = (share: number) => (base < 1 ? (share - base) / (1 - base) : 0);
      const hits = count(partition, code, near);
      rows.push({
        index,
        partition,
        code,
        share: hits / near.length,
        base,
        agreement: beyond(hits / near.length),
        wideAgreement: beyond(count(partition, code, wide) / wide.length),
        p: chanceOfAtLeast(hits, others, alike, near.length),
        under: null,
      });
    });
    const chances = corrected(rows.map(({ p }) => p));
    return this.#folded(rows.map((row, i) => ({ ...row, p: chances[i] as number })));
  }

  /**
   * One row for each concept: the value that sets some examples apart most from all others, of which
   * `base` is the share there. The chance is corrected for the number of values as well.
   */
  ofSet(chosen: Uint32Array): Shared[] {
    const rows: (Shared & { index: number })[] = [];
    this.partitions.all.forEach((partition, index) => {
      const { codes, values, missing } = partition;
      const sizes = this.#sizes[index] as Uint32Array;
      const hits = new Uint32Array(values.length);
      for (const example of chosen) {
        const code = codes[example] as number;
        if (code !== missing) (hits[code] as number)++;
      }
      const others = codes.length - chosen.length;
      if (others === 0 || !hits.some((count) => count > 0)) return;
      let best = { code: 0, share: 0, base: 0, agreement: Number.NEGATIVE_INFINITY };
      hits.forEach((count, code) => {
        const share = count / chosen.length;
        const base = ((sizes[code] as number) - count) / others;
        const agreement = base < 1 ? (share - base) / (1 - base) : 0;
        if (agreement > best.agreement) best = { code, share, base, agreement };
      });
      const { code, agreement } = best;
      const [count, alike] = [hits[code] as number, sizes[code] as number];
      const chance = chanceOfAtLeast(count, codes.length, alike, chosen.length);
      rows.push({
        ...{ index, partition, ...best, wideAgreement: agreement, under: null },
        p: Math.min(1, chance * values.length),
      });
    });
    const chances = corrected(rows.map(({ p }) => p));
    return this.#folded(rows.map((row, i) => ({ ...row, p: chances[i] as number })));
  }

  #folded(rows: readonly (Shared & { index: number })[]): Shared[] {
    const { nested, nearlyAsStrong } = this.partitions;
    const heads: { row: (typeof rows)[number]; nested: Shared[] }[] = [];
    const coarsestFirst = [...rows].sort(
      (a, b) =>
        a.partition.values.length - b.partition.values.length || b.wideAgreement - a.wideAgreement,
    );
    for (const row of coarsestFirst) {
      let above: (typeof heads)[number] | undefined;
      for (const head of heads) {
        const { index, wideAgreement } = head.row;
        if (wideAgreement < nearlyAsStrong * row.wideAgreement) continue;
        if (above && wideAgreement <= above.row.wideAgreement) continue;
        if (this.#determinedBy(index, row.index) >= nested) above = head;
      }
      if (above) above.nested.push({ ...row, under: above.row.partition });
      else heads.push({ row, nested: [] });
    }
    const strongest = (a: Shared, b: Shared) => b.wideAgreement - a.wideAgreement;
    return heads
      .sort((a, b) => strongest(a.row, b.row))
      .flatMap(({ row, nested }) => [row, ...nested.sort(strongest)]);
  }

  #determinedBy(index: number, other: number): number {
    const { all, determined } = this.partitions;
    return determined[index * all.length + other] as number;
  }
}

function count({ codes }: Coded, code: number, examples: Uint32Array): number {
  let hits = 0;
  for (const example of examples) if (codes[example] === code) hits++;
  return hits;
}

/**
 * What chance does not explain, in groups; what is nested with something that it does is on its own.
 * @param significant corrected chance that counts as none
 */
export function significantGroups(rows: readonly Shared[], significant: number): SharedGroup[] {
  const groups: { head: Shared; nested: Shared[] }[] = [];
  for (const row of rows) {
    if (row.p > significant || row.agreement <= 0) continue;
    const head = row.under && groups.find(({ head }) => head.partition === row.under);
    if (head) head.nested.push(row);
    else groups.push({ head: row, nested: [] });
  }
  return groups;
}
