/**
 * L2 distance of one row to all rows of a row-major (n, d) matrix.
 *
 * Differences are squared and summed in float64 and the root is rounded to float32, so that equal
 * rows are at exactly 0.
 */
export function l2(
  matrix: Float32Array,
  d: number,
  row: number,
  out: Float32Array = new Float32Array(matrix.length / d),
): Float32Array {
  const n = matrix.length / d;
  const a = new Float64Array(matrix.subarray(row * d, row * d + d));
  const whole = d - (d % 4);
  for (let i = 0, p = 0; i < n; i++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let j = 0;
    for (; j < whole; j += 4, p += 4) {
      const e0 = (matrix[p] as number) - (a[j] as number);
      const e1 = (matrix[p + 1] as number) - (a[j + 1] as number);
      const e2 = (matrix[p + 2] as number) - (a[j + 2] as number);
      const e3 = (matrix[p + 3] as number) - (a[j + 3] as number);
      s0 += e0 * e0;
      s1 += e1 * e1;
      s2 += e2 * e2;
      s3 += e3 * e3;
    }
    for (; j < d; j++, p++) {
      const e = (matrix[p] as number) - (a[j] as number);
      s0 += e * e;
    }
    out[i] = Math.sqrt(s0 + s1 + (s2 + s3));
  }
  return out;
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const MASK = DIGITS - 1;

/**
 * Sorts examples by distance, ties by index.
 *
 * The bits of a float32 that is not negative sort like the number, so this is a stable radix sort
 * of three 11-bit digits: linear in n, and exact. It keeps its working memory between calls.
 */
export class Ranking {
  readonly #counts = new Uint32Array(3 * DIGITS);
  #scratch = new Uint32Array(0);

  /** Fills and returns `out`, (n,): the examples, nearest first. */
  sort(distances: Float32Array, out: Uint32Array = new Uint32Array(distances.length)): Uint32Array {
    const n = distances.length;
    if (this.#scratch.length !== n) this.#scratch = new Uint32Array(n);
    const bits = new Uint32Array(distances.buffer, distances.byteOffset, n);
    const counts = this.#counts.fill(0);
    for (let i = 0; i < n; i++) {
      const b = bits[i] as number;
      (counts[b & MASK] as number)++;
      (counts[DIGITS + ((b >>> DIGIT_BITS) & MASK)] as number)++;
      (counts[2 * DIGITS + (b >>> (2 * DIGIT_BITS))] as number)++;
    }
    for (let digit = 0; digit < 3; digit++) {
      let sum = 0;
      for (let c = digit * DIGITS; c < (digit + 1) * DIGITS; c++) {
        const count = counts[c] as number;
        counts[c] = sum;
        sum += count;
      }
    }
    const scratch = this.#scratch;
    for (let i = 0; i < n; i++) {
      const c = (bits[i] as number) & MASK;
      const place = counts[c] as number;
      out[place] = i;
      counts[c] = place + 1;
    }
    for (let i = 0; i < n; i++) {
      const e = out[i] as number;
      const c = DIGITS + (((bits[e] as number) >>> DIGIT_BITS) & MASK);
      const place = counts[c] as number;
      scratch[place] = e;
      counts[c] = place + 1;
    }
    for (let i = 0; i < n; i++) {
      const e = scratch[i] as number;
      const c = 2 * DIGITS + ((bits[e] as number) >>> (2 * DIGIT_BITS));
      const place = counts[c] as number;
      out[place] = e;
      counts[c] = place + 1;
    }
    return out;
  }
}

/** The k examples nearest to `selected`, nearest first, ties by index, `selected` left out. */
export function nearest(order: Uint32Array, selected: number, k: number): Uint32Array {
  const found = new Uint32Array(Math.min(k, order.length - 1));
  for (let i = 0, filled = 0; filled < found.length; i++) {
    const e = order[i] as number;
    if (e !== selected) found[filled++] = e;
  }
  return found;
}
