/** What the colors and the histogram of a set of distances span. */
export interface Scale {
  /** Smallest and largest distance to another example: the ends of the axis. */
  readonly min: number;
  readonly max: number;
  /** Where the colors begin and end; a few far examples must not use up the whole range. */
  readonly low: number;
  readonly high: number;
}

const TRIMMED = 0.005;

/** Scale of distances, given the examples in order of distance, the selected one among them. */
export function scaleOf(distances: Float32Array, order: Uint32Array): Scale {
  const n = order.length;
  const at = (rank: number) => distances[order[Math.min(n - 1, rank)] as number] ?? 0;
  return {
    min: at(1),
    max: at(n - 1),
    low: at(1 + Math.floor((n - 2) * TRIMMED)),
    high: at(Math.ceil((n - 1) * (1 - TRIMMED))),
  };
}

/** Index into a table of 256 colors for each distance, 0 the nearest; fills and returns `out`. */
export function colorIndexes(
  distances: Float32Array,
  scale: Scale,
  out: Uint8Array = new Uint8Array(distances.length),
): Uint8Array {
  const { low, high } = scale;
  const factor = high > low ? 255.999 / (high - low) : 0;
  for (let i = 0; i < distances.length; i++) {
    const t = ((distances[i] as number) - low) * factor;
    out[i] = Math.max(0, Math.min(255, t));
  }
  return out;
}

/** Weights that sum to 1 from scores, e.g. where a head looks from its attention scores. */
export function softmax(scores: Float32Array): Float32Array {
  let top = Number.NEGATIVE_INFINITY;
  for (const s of scores) if (s > top) top = s;
  const weights = scores.map((s) => Math.exp(s - top));
  let sum = 0;
  for (const w of weights) sum += w;
  return weights.map((w) => w / sum);
}

/** Where a count stands on a slider from 0 to 1 whose counts, 1 to `most`, grow by equal factors. */
export function sliderOf(count: number, most: number): number {
  return most > 1 ? Math.log(count) / Math.log(most) : 0;
}

/** The count at a place on such a slider. */
export function countAt(place: number, most: number): number {
  return Math.max(1, Math.min(most, Math.round(most ** place)));
}

/** A share of the bars' scale, which ends at none and at all. */
export function onScale(share: number): number {
  return Math.min(1, Math.max(0, share));
}
