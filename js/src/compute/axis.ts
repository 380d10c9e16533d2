import type { Ranked } from "./ranked";
import { colorIndexes } from "./scale";

/** How colors and the legend's axis go with distance. */
export const SCALES = ["linear", "rank", "log"] as const;
export type ScaleName = (typeof SCALES)[number];

/** The axis of the legend: where a distance stands, from 0 to 1, and what distance stands there. */
export interface DistanceAxis {
  position(distance: number): number;
  at(position: number): number;
}

/** A linear axis from the smallest distance to the largest; with "log", one of even factors. */
export function distanceAxis(ranked: Ranked, name: ScaleName): DistanceAxis {
  const { min, max } = ranked.scale;
  if (name === "log") return logAxis(smallest(ranked, 0), max);
  const span = max - min;
  return {
    position: (distance) => (span > 0 ? within((distance - min) / span) : 0),
    at: (position) => min + position * span,
  };
}

function logAxis(low: number, high: number): DistanceAxis {
  const span = high > low && low > 0 ? Math.log(high / low) : 0;
  return {
    position: (distance) =>
      span > 0 && distance > low ? Math.min(1, Math.log(distance / low) / span) : 0,
    at: (position) => low * Math.exp(position * span),
  };
}

/** The smallest distance that is above 0 and not below `least`; 0 if all are 0. */
function smallest({ distances, order }: Ranked, least: number): number {
  let [from, to] = [0, order.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const distance = distances[order[middle] as number] as number;
    if (distance > 0 && distance >= least) to = middle;
    else from = middle + 1;
  }
  return distances[order[from] ?? -1] ?? 0;
}

/** Index into a table of 256 colors for each distance, 0 the nearest; fills and returns `out`, (n,). */
export function tablePlaces(ranked: Ranked, name: ScaleName, out: Uint8Array): Uint8Array {
  const { distances, order, scale } = ranked;
  const { low, high } = scale;
  const n = order.length;
  if (name === "rank") {
    let place = 0;
    for (let rank = 0; rank < n; rank++) {
      const example = order[rank] as number;
      // Those at the same distance have the same color.
      if (rank > 0 && distances[example] !== distances[order[rank - 1] as number]) place = rank;
      out[example] = (256 * place) / n;
    }
  } else if (name === "log") {
    const { position } = logAxis(smallest(ranked, low), high);
    for (let i = 0; i < n; i++) out[i] = 255.999 * position(distances[i] as number);
  } else colorIndexes(distances, scale, out);
  return out;
}

/** The distance that has the color at a share of the palette. */
export function distanceAt(ranked: Ranked, name: ScaleName, share: number): number {
  const { distances, order, scale } = ranked;
  const { low, high } = scale;
  if (name === "log") return logAxis(smallest(ranked, low), high).at(share);
  if (name === "linear") return low + share * (high - low);
  return distances[order[Math.round(share * (order.length - 1))] ?? 0] ?? 0;
}

/** Counts of distances in equal bins along the axis, the selected left out. */
export function histogram(
  { distances }: Ranked,
  axis: DistanceAxis,
  selected: number,
  bins: number,
): Uint32Array {
  const counts = new Uint32Array(bins);
  const binOf = (distance: number) =>
    Math.min(bins - 1, Math.floor(axis.position(distance) * bins));
  for (let i = 0; i < distances.length; i++) {
    (counts[binOf(distances[i] as number)] as number)++;
  }
  (counts[binOf(distances[selected] ?? 0)] as number)--;
  return counts;
}

/** A range of distances, both ends included. */
export interface Band {
  readonly low: number;
  readonly high: number;
}

/**
 * Whether each example is let through by a filter and lies in a band, 1 or 0; null where all do.
 * Fills and returns `out` where both count.
 */
export function shownMask(
  distances: Float32Array,
  band: Band | null,
  filter: Uint8Array | null,
  out: Uint8Array,
): Uint8Array | null {
  if (!band) return filter;
  const { low, high } = band;
  for (let i = 0; i < distances.length; i++) {
    const distance = distances[i] as number;
    out[i] = distance >= low && distance <= high ? (filter?.[i] ?? 1) : 0;
  }
  return out;
}

/** How many are let through. */
export function countShown(mask: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < mask.length; i++) count += mask[i] as number;
  return count;
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share));
}
