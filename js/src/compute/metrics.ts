import type { Metric } from "../data/metric";

/** Standard deviation, in shares of the largest or of a coordinate's own size, that is rounding. */
const ROUNDING = 1e-6;
/** Share of the largest pivot below which a direction differs by rounding alone. */
const SAME_DIRECTION = 1e-8;

/** Vectors between which L2 is a metric's distance, (n, d). */
export interface Mapped {
  readonly values: Float32Array;
  readonly d: number;
}

/** What standardizes coordinates that are held in fewer: `scaling_of` in `core/metrics.py`. */
export interface Scaling {
  /** (d, d), row-major. */
  readonly factors: Float32Array;
  /** How many coordinates differ. */
  readonly width: number;
}

/**
 * A row-major (n, d) matrix as a metric sees it: what `clusterwidget/core/metrics.py` does. Whitened
 * vectors are turned otherwise than Python's; distances between them are the same.
 *
 * @param first how many rows, from the first, the statistics are of
 */
export function mapped(
  values: Float32Array,
  d: number,
  metric: Metric,
  first: number,
  scaling: Scaling | null,
): Mapped {
  if (metric === "l2") return { values, d };
  if (metric === "cosine") return { values: unit(values, d), d };
  const standardized = scaling
    ? turned(values, d, meanOf(values, d, first), scaling.factors)
    : scaled(values, d, first);
  const { rows, width } = standardized;
  if (metric === "whitened") whiten(rows, d, first, scaling?.width ?? width);
  return { values: Float32Array.from(rows), d };
}

/** Each vector over its length; zeros have no direction, and stay. */
function unit(values: Float32Array, d: number): Float32Array {
  const found = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += d) {
    let square = 0;
    for (let j = row; j < row + d; j++) square += (values[j] as number) ** 2;
    const length = Math.sqrt(square) || 1;
    for (let j = row; j < row + d; j++) found[j] = (values[j] as number) / length;
  }
  return found;
}

function meanOf(values: Float32Array, d: number, rows: number): Float64Array {
  const sums = new Float64Array(d);
  for (let at = 0, j = 0; at < rows * d; at++, j = j + 1 === d ? 0 : j + 1) {
    (sums[j] as number) += values[at] as number;
  }
  return sums.map((sum) => sum / rows);
}

interface Standardized {
  readonly rows: Float64Array;
  /** How many coordinates differ. */
  readonly width: number;
}

/** Each coordinate less its mean and over its standard deviation; 0 where that is rounding. */
function scaled(values: Float32Array, d: number, first: number): Standardized {
  const mean = meanOf(values, d, first);
  const squares = new Float64Array(d);
  for (let row = 0; row < first * d; row += d) {
    for (let j = 0; j < d; j++) {
      (squares[j] as number) += ((values[row + j] as number) - (mean[j] as number)) ** 2;
    }
  }
  const deviations = squares.map((square) => Math.sqrt(square / first));
  const largest = deviations.reduce((most, deviation) => Math.max(most, deviation), 0);
  const scales = deviations.map((deviation, j) => {
    const least = ROUNDING * Math.max(Math.hypot(deviation, mean[j] as number), largest);
    return deviation > least ? 1 / deviation : 0;
  });
  const rows = new Float64Array(values.length);
  for (let row = 0; row < values.length; row += d) {
    for (let j = 0; j < d; j++) {
      rows[row + j] = ((values[row + j] as number) - (mean[j] as number)) * (scales[j] as number);
    }
  }
  return { rows, width: scales.filter((scale) => scale > 0).length };
}

/** Vectors less their mean, times a (d, d) matrix. */
function turned(
  values: Float32Array,
  d: number,
  mean: Float64Array,
  factors: Float32Array,
): Standardized {
  const rows = new Float64Array(values.length);
  for (let row = 0; row < values.length; row += d) {
    for (let i = 0, at = 0; i < d; i++) {
      const x = (values[row + i] as number) - (mean[i] as number);
      for (let j = 0; j < d; j++, at++) (rows[row + j] as number) += x * (factors[at] as number);
    }
  }
  return { rows, width: d };
}

/**
 * Whitens standardized vectors in place, by the Cholesky factor of their correlations, shrunk towards
 * the identity as Ledoit and Wolf (2004) estimate.
 *
 * @param width of how many coordinates that identity is
 */
function whiten(rows: Float64Array, d: number, first: number, width: number): void {
  const products = new Float64Array(d * d);
  let fourth = 0;
  for (let row = 0; row < first * d; row += d) {
    let square = 0;
    for (let i = 0; i < d; i++) {
      const x = rows[row + i] as number;
      square += x * x;
      if (x === 0) continue;
      for (let j = 0, at = i * d; j <= i; j++, at++) {
        (products[at] as number) += x * (rows[row + j] as number);
      }
    }
    fourth += square * square;
  }
  let trace = 0;
  let squares = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0, at = i * d; j <= i; j++, at++) {
      (products[at] as number) /= first;
      squares += (i === j ? 1 : 2) * (products[at] as number) ** 2;
    }
    trace += products[i * d + i] as number;
  }
  const apart = squares - trace ** 2 / Math.max(width, 1);
  const noise = (fourth / first - squares) / first;
  const shrinkage = apart > 0 ? Math.min(1, Math.max(0, noise / apart)) : 1;
  const level = trace / Math.max(width, 1);
  for (let at = 0; at < d * d; at++) (products[at] as number) *= 1 - shrinkage;
  for (let i = 0; i < d; i++) (products[i * d + i] as number) += shrinkage * level;
  const lower = cholesky(products, d);
  for (let row = 0; row < rows.length; row += d) {
    for (let i = 0; i < d; i++) {
      const pivot = lower[i * d + i] as number;
      let rest = rows[row + i] as number;
      for (let j = 0, at = i * d; j < i; j++, at++) {
        rest -= (lower[at] as number) * (rows[row + j] as number);
      }
      rows[row + i] = pivot === 0 ? 0 : rest / pivot;
    }
  }
}

/** The lower factor of a symmetric matrix; a column of zeros where it says nothing new. */
function cholesky(matrix: Float64Array, d: number): Float64Array {
  const lower = new Float64Array(d * d);
  let largest = 0;
  for (let i = 0; i < d; i++) largest = Math.max(largest, matrix[i * d + i] as number);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * d + j] as number;
      for (let k = 0; k < j; k++) {
        sum -= (lower[i * d + k] as number) * (lower[j * d + k] as number);
      }
      if (i === j) lower[i * d + i] = sum > SAME_DIRECTION * largest ? Math.sqrt(sum) : 0;
      else {
        const pivot = lower[j * d + j] as number;
        lower[i * d + j] = pivot === 0 ? 0 : sum / pivot;
      }
    }
  }
  return lower;
}
