import type { CloudSight } from "./cloud";
import { blended } from "./color";
import type { CellColors } from "./lattice";

/** A point at least so many pixels wide has a rim, which tells it from those behind it. */
const LEAST_FOR_RIM = 5;
/** How much of its color a pixel has that one example alone is in, where points are pixels. */
const LEAST_STRENGTH = 0.45;

/**
 * Fills `pixels`, rows of `width`, with points on a ground.
 * @param order examples, the first on top; null for none before others
 * @param ground color under the points, as ImageData packs it
 */
export function paintCloud(
  pixels: Uint32Array,
  width: number,
  sight: CloudSight,
  colors: CellColors,
  order: Uint32Array | null,
  ground: number,
): void {
  pixels.fill(ground);
  if (sight.size < 2) paintCrowd(pixels, width, sight, colors, order !== null, ground);
  else paintPoints(pixels, width, sight, colors, order, ground);
}

function paintPoints(
  pixels: Uint32Array,
  width: number,
  { cloud, scale, x, y, size }: CloudSight,
  { indexes, table, faded, mask }: CellColors,
  order: Uint32Array | null,
  ground: number,
): void {
  const { xs, ys } = cloud;
  const n = xs.length;
  const height = pixels.length / width;
  const rim = size >= LEAST_FOR_RIM ? disc(size + 2) : null;
  const inner = disc(size);
  const pale = faded.map((color) => blended(color, ground));
  const stride = strideOf(n);
  const fill = (spans: Int32Array, left: number, top: number, color: number) => {
    for (let row = 0; row < spans.length / 2; row++) {
      const at = top + row;
      if (at < 0 || at >= height) continue;
      const from = at * width + Math.max(0, left + (spans[2 * row] as number));
      const end = at * width + Math.min(width, left + (spans[2 * row + 1] as number));
      for (let pixel = from; pixel < end; pixel++) pixels[pixel] = color;
    }
  };
  // Those that are faded lie under all others.
  for (const shown of mask ? [0, 1] : [1]) {
    const colorsNow = shown ? table : pale;
    for (let i = n - 1; i >= 0; i--) {
      const example = order ? (order[i] as number) : (i * stride) % n;
      if (mask && mask[example] !== shown) continue;
      const left = Math.round(((xs[example] as number) - x) * scale - size / 2);
      const top = Math.round(((ys[example] as number) - y) * scale - size / 2);
      if (left < -size || top < -size || left >= width || top >= height) continue;
      if (rim) fill(rim, left - 1, top - 1, ground);
      fill(inner, left, top, colorsNow[indexes[example] as number] as number);
    }
  }
}

/**
 * Where points are pixels: each is the stronger the more there are in it.
 * @param mixes whether it has the mean of their colors, or that of one of them, as of categories
 */
function paintCrowd(
  pixels: Uint32Array,
  width: number,
  { cloud, scale, x, y }: CloudSight,
  { indexes, table, faded, mask }: CellColors,
  mixes: boolean,
  ground: number,
): void {
  const { xs, ys } = cloud;
  const height = pixels.length / width;
  const counts = new Uint32Array(pixels.length);
  const sums = new Uint32Array(pixels.length);
  const gather = (wanted: number) => {
    let most = 0;
    for (let i = 0; i < xs.length; i++) {
      if (mask && mask[i] !== wanted) continue;
      const left = Math.floor(((xs[i] as number) - x) * scale);
      const top = Math.floor(((ys[i] as number) - y) * scale);
      if (left < 0 || top < 0 || left >= width || top >= height) continue;
      const pixel = top * width + left;
      sums[pixel] = (mixes ? (sums[pixel] as number) : 0) + (indexes[i] as number);
      const count = ++(counts[pixel] as number);
      if (count > most) most = count;
    }
    const colors = wanted ? table : faded;
    const scaleBy = 1 / Math.log1p(Math.max(2, most));
    for (let pixel = 0; pixel < pixels.length; pixel++) {
      const count = counts[pixel] as number;
      if (count === 0) continue;
      const color = colors[Math.round((sums[pixel] as number) / (mixes ? count : 1))] as number;
      const strength = LEAST_STRENGTH + (1 - LEAST_STRENGTH) * Math.log1p(count) * scaleBy;
      pixels[pixel] = blended(color, ground, strength);
    }
  };
  if (mask) {
    gather(0);
    counts.fill(0);
    sums.fill(0);
  }
  gather(1);
}

/** Where each row of a disc begins and ends. */
function disc(size: number): Int32Array {
  const spans = new Int32Array(2 * size);
  const radius = size / 2;
  for (let row = 0; row < size; row++) {
    const half = Math.sqrt(Math.max(0, radius * radius - (row + 0.5 - radius) ** 2));
    // Small discs are squares.
    const wide = size <= 3 ? radius : half;
    spans[2 * row] = Math.round(radius - wide);
    spans[2 * row + 1] = Math.round(radius + wide);
  }
  return spans;
}

/** A step that goes through all n in an order that has nothing to do with theirs. */
function strideOf(n: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.floor(0.618 * n));
  while (divisor(stride, n) !== 1) stride++;
  return stride;
}
