/** Examples at each end of a component. */
const ENDS = 5;
/** Share of the spread below which a direction is rounding. */
const SAME = 1e-9;
/** Further directions that are iterated along: the wanted ones settle sooner. */
const SPARE = 5;
const ROUNDS = 500;
const SETTLED = 1e-12;

/** A principal component: its share of the squared distance, and the examples at its two ends. */
export interface Ends {
  readonly share: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/**
 * The leading principal components of a row-major (n, d) matrix, largest first, as
 * `clusterwidget/meaning/components.py` has them.
 * @param most how many at most
 */
export function components(matrix: Float32Array, d: number, most: number): Ends[] {
  const { axes, sizes, total, mean } = componentsOf(matrix, d, most);
  return axes.map((axis, at) => ({
    share: total > 0 ? (sizes[at] as number) / total : 0,
    ...endsOf(valuesAlong(matrix, d, mean, axis)),
  }));
}

/** The two leading components as axes of a plane: points, (n, 2), and the axes' shares. */
export function plane(
  matrix: Float32Array,
  d: number,
): { points: Float32Array; shares: readonly [number, number] } {
  const { axes, sizes, total, mean } = componentsOf(matrix, d, 2);
  const points = new Float32Array((2 * matrix.length) / d);
  axes.forEach((axis, at) => {
    valuesAlong(matrix, d, mean, axis).forEach((value, i) => {
      points[2 * i + at] = value;
    });
  });
  const share = (at: number) => (total > 0 ? (sizes[at] ?? 0) / total : 0);
  return { points, shares: [share(0), share(1)] };
}

/** The leading components that there are, with the mean of all rows and all of the spread. */
function componentsOf(matrix: Float32Array, d: number, most: number) {
  const n = matrix.length / d;
  const mean = new Float64Array(d);
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < d; j++, at++) (mean[j] as number) += (matrix[at] as number) / n;
  }
  const covariance = covarianceOf(matrix, d, mean);
  let total = 0;
  for (let j = 0; j < d; j++) total += covariance[j * d + j] as number;
  const found = leading(covariance, d, Math.min(d, most));
  const there = Math.max(1, found.sizes.filter((size) => size > SAME * total).length);
  const axes = Array.from({ length: there }, (_, c) =>
    signed(found.axes.subarray(c * d, (c + 1) * d)),
  );
  return { axes, sizes: found.sizes.slice(0, there), total, mean };
}

function covarianceOf(matrix: Float32Array, d: number, mean: Float64Array): Float64Array {
  const n = matrix.length / d;
  const covariance = new Float64Array(d * d);
  const row = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < d; j++) row[j] = (matrix[i * d + j] as number) - (mean[j] as number);
    for (let j = 0; j < d; j++) {
      const value = (row[j] as number) / n;
      for (let other = 0, at = j * d; other <= j; other++, at++) {
        (covariance[at] as number) += value * (row[other] as number);
      }
    }
  }
  for (let j = 0; j < d; j++) {
    for (let other = j + 1; other < d; other++) {
      covariance[j * d + other] = covariance[other * d + j] as number;
    }
  }
  return covariance;
}

/**
 * The largest eigenvalues of a symmetric (d, d) matrix, largest first, and their vectors, (count, d):
 * subspace iteration, with the small problem that is left solved by Jacobi's rotations.
 */
export function leading(
  symmetric: Float64Array,
  d: number,
  count: number,
): { sizes: number[]; axes: Float64Array } {
  const width = Math.min(d, count + SPARE);
  let axes = Float64Array.from({ length: width * d }, (_, i) => Math.sin(1 + 7.3 * i * (1 + i)));
  let before: number[] = [];
  for (let round = 0; ; round++) {
    orthonormalize(axes, d);
    const images = timesAll(symmetric, axes, d);
    const small = new Float64Array(width * width);
    for (let a = 0; a < width; a++) {
      for (let b = 0; b < width; b++) small[a * width + b] = dot(axes, a, images, b, d);
    }
    const { sizes, turns } = rotated(small, width);
    const found = sizes.slice(0, count);
    const scale = SETTLED * Math.abs(found[0] ?? 0);
    const settled = found.every((size, i) => Math.abs(size - (before[i] ?? Infinity)) <= scale);
    if (settled || round === ROUNDS) {
      return { sizes: found, axes: combined(turns, axes, width, d).subarray(0, count * d) };
    }
    before = found;
    axes = combined(turns, images, width, d);
  }
}

/** Eigenvalues of a small symmetric matrix, largest first, and their vectors, one in each row. */
function rotated(matrix: Float64Array, n: number): { sizes: number[]; turns: Float64Array } {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const at = (i: number, j: number) => matrix[i * n + j] as number;
  for (let sweep = 0; sweep < 60; sweep++) {
    let turned = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(at(p, q)) <= 1e-16 * Math.sqrt(Math.abs(at(p, p) * at(q, q)))) continue;
        turned = true;
        const ratio = (at(q, q) - at(p, p)) / (2 * at(p, q));
        const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.hypot(ratio, 1));
        const cosine = 1 / Math.hypot(tangent, 1);
        rotate(matrix, n, p, q, cosine, tangent * cosine, true);
        rotate(matrix, n, p, q, cosine, tangent * cosine, false);
        rotate(vectors, n, p, q, cosine, tangent * cosine, true);
      }
    }
    if (!turned) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => at(b, b) - at(a, a));
  const turns = new Float64Array(n * n);
  order.forEach((from, to) => {
    turns.set(vectors.subarray(from * n, (from + 1) * n), to * n);
  });
  return { sizes: order.map((i) => at(i, i)), turns };
}

/** Turns two rows, or two columns, against each other. */
function rotate(
  matrix: Float64Array,
  n: number,
  p: number,
  q: number,
  cosine: number,
  sine: number,
  rows: boolean,
): void {
  for (let k = 0; k < n; k++) {
    const a = rows ? p * n + k : k * n + p;
    const b = rows ? q * n + k : k * n + q;
    const [x, y] = [matrix[a] as number, matrix[b] as number];
    matrix[a] = cosine * x - sine * y;
    matrix[b] = sine * x + cosine * y;
  }
}

/** Makes the rows orthonormal, in place; twice, against rounding. */
function orthonormalize(rows: Float64Array, d: number): void {
  for (let a = 0; a < rows.length / d; a++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let b = 0; b < a; b++) {
        const along = dot(rows, a, rows, b, d);
        for (let j = 0; j < d; j++) {
          (rows[a * d + j] as number) -= along * (rows[b * d + j] as number);
        }
      }
      const length = Math.sqrt(dot(rows, a, rows, a, d));
      for (let j = 0; j < d; j++) (rows[a * d + j] as number) /= length || 1;
    }
  }
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, d: number): number {
  let sum = 0;
  for (let k = 0; k < d; k++) sum += (a[i * d + k] as number) * (b[j * d + k] as number);
  return sum;
}

/** A symmetric (d, d) matrix times each row. */
function timesAll(symmetric: Float64Array, rows: Float64Array, d: number): Float64Array {
  const images = new Float64Array(rows.length);
  for (let a = 0; a < rows.length / d; a++) {
    for (let j = 0; j < d; j++) images[a * d + j] = dot(symmetric, j, rows, a, d);
  }
  return images;
}

/** Sums of rows, with weights (width, width). */
function combined(weights: Float64Array, rows: Float64Array, width: number, d: number) {
  const sums = new Float64Array(rows.length);
  for (let a = 0; a < width; a++) {
    for (let b = 0; b < width; b++) {
      const weight = weights[a * width + b] as number;
      for (let j = 0; j < d; j++) {
        (sums[a * d + j] as number) += weight * (rows[b * d + j] as number);
      }
    }
  }
  return sums;
}

/** An axis with the sign with which its largest weight is positive. */
function signed(axis: Float64Array): Float64Array {
  const largest = axis.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  return largest < 0 ? axis.map((x) => -x) : axis;
}

/** Each row's coordinate along an axis. */
function valuesAlong(
  matrix: Float32Array,
  d: number,
  mean: Float64Array,
  axis: Float64Array,
): Float32Array {
  const n = matrix.length / d;
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < d; j++) {
      sum += ((matrix[i * d + j] as number) - (mean[j] as number)) * (axis[j] as number);
    }
    values[i] = sum;
  }
  return values;
}

function endsOf(values: Float32Array): Omit<Ends, "share"> {
  const order = Array.from({ length: values.length }, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number) || a - b,
  );
  return { low: order.slice(0, ENDS), high: order.slice(-ENDS).reverse() };
}
