import type { Coded } from "../data/concepts";

/** Rows whose mean is taken out first, so that float32 keeps what is small beside it. */
const ROWS = 2048;
/** Share of the largest pivot below which a column is a sum of others, but for rounding. */
const SINGULAR = 1e-9;

/**
 * What is left of a row-major (n, d) matrix without the parts of some concepts, (n, d).
 *
 * Each concept's part is a vector for each of its values, a missing one included. All are fitted
 * together by least squares on the concepts' indicator columns, as `clusterwidget/meaning/aside.py`
 * does. The mean of all examples is taken out with them.
 */
export function setAside(
  matrix: Float32Array,
  d: number,
  concepts: readonly Coded[],
): Float32Array {
  const n = matrix.length / d;
  const { columns, count } = indicators(concepts, n);
  const width = concepts.length;
  const { shift, ofConcept } = sumsOf(matrix, d);
  const sums = new Float64Array(count * d);
  let first = 0;
  for (const concept of concepts) {
    const own = ofConcept(concept);
    sums.set(own, first);
    first += own.length;
  }
  const products = new Float64Array(count * count);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < width; c++) {
      const row = (columns[i * width + c] as number) * count;
      for (let other = 0; other < width; other++) {
        (products[row + (columns[i * width + other] as number)] as number)++;
      }
    }
  }
  const effects = Float32Array.from(solved(products, sums, count, d));
  const left = new Float32Array(matrix.length);
  for (let i = 0, row = 0; i < n; i++, row += d) {
    for (let j = 0; j < d; j++) left[row + j] = (matrix[row + j] as number) - (shift[j] as number);
    for (let c = 0; c < width; c++) {
      const start = (columns[i * width + c] as number) * d;
      for (let j = 0; j < d; j++) (left[row + j] as number) -= effects[start + j] as number;
    }
  }
  return left;
}

interface Sums {
  readonly shift: Float32Array;
  /** The sums of a concept's groups, (groups, d); a missing value is the last group. */
  readonly ofConcept: (concept: Coded) => Float64Array;
}

/** Kept as long as a matrix is: with each press one concept's sums are new, at most. */
const KEPT = new WeakMap<Float32Array, Sums>();

function sumsOf(matrix: Float32Array, d: number): Sums {
  const kept = KEPT.get(matrix);
  if (kept) return kept;
  const n = matrix.length / d;
  const shift = meanOf(matrix, d, Math.min(n, ROWS));
  const known = new WeakMap<object, Float64Array>();
  const ofConcept = (concept: Coded): Float64Array => {
    let sums = known.get(concept.codes);
    if (!sums) {
      const { columns, count } = indicators([concept], n);
      sums = new Float64Array(count * d);
      for (let i = 0, row = 0; i < n; i++, row += d) {
        const start = (columns[i] as number) * d;
        for (let j = 0; j < d; j++) {
          (sums[start + j] as number) += (matrix[row + j] as number) - (shift[j] as number);
        }
      }
      known.set(concept.codes, sums);
    }
    return sums;
  };
  const made = { shift, ofConcept };
  KEPT.set(matrix, made);
  return made;
}

/** Each example's column for each concept, (n, concepts), and how many columns there are. */
function indicators(
  concepts: readonly Coded[],
  n: number,
): { columns: Uint32Array; count: number } {
  const columns = new Uint32Array(n * concepts.length);
  let count = 0;
  concepts.forEach(({ codes, values, missing }, c) => {
    let some = false;
    for (let i = 0; i < n; i++) {
      const code = codes[i] as number;
      some ||= code === missing;
      columns[i * concepts.length + c] = count + (code === missing ? values.length : code);
    }
    count += values.length + Number(some);
  });
  return { columns, count };
}

function meanOf(matrix: Float32Array, d: number, rows: number): Float32Array {
  const sums = new Float64Array(d);
  for (let at = 0; at < rows * d; at++) (sums[at % d] as number) += matrix[at] as number;
  return Float32Array.from(sums, (sum) => sum / rows);
}

/**
 * Least-squares effects of the columns, (count, d), from the products of columns with each other,
 * (count, count), and with the rows, (count, d).
 *
 * Gauss-Jordan elimination with the largest pivot first. Columns that are sums of others get no
 * effect of their own: which effects they are is open then, what they fit is not.
 */
export function solved(
  products: Float64Array,
  sums: Float64Array,
  count: number,
  d: number,
): Float64Array {
  const left = products.slice();
  const right = sums.slice();
  const open = new Set(Array.from({ length: count }, (_, i) => i));
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, left[i * count + i] as number);
  const used: number[] = [];
  while (open.size > 0) {
    let pivot = -1;
    for (const i of open) {
      if (pivot < 0 || diagonal(i) > diagonal(pivot)) pivot = i;
    }
    if (diagonal(pivot) <= SINGULAR * Math.max(largest, 1)) break;
    open.delete(pivot);
    used.push(pivot);
    const inverse = 1 / diagonal(pivot);
    scale(left, count, pivot, inverse);
    scale(right, d, pivot, inverse);
    for (let i = 0; i < count; i++) {
      const factor = left[i * count + pivot] as number;
      if (i === pivot || factor === 0) continue;
      subtract(left, count, i, pivot, factor);
      subtract(right, d, i, pivot, factor);
    }
  }
  const effects = new Float64Array(count * d);
  for (const i of used) effects.set(right.subarray(i * d, (i + 1) * d), i * d);
  return effects;

  function diagonal(i: number): number {
    return left[i * count + i] as number;
  }
}

function scale(matrix: Float64Array, width: number, row: number, factor: number): void {
  for (let at = row * width; at < (row + 1) * width; at++) (matrix[at] as number) *= factor;
}

function subtract(
  matrix: Float64Array,
  width: number,
  row: number,
  other: number,
  factor: number,
): void {
  for (let j = 0, at = row * width, from = other * width; j < width; j++, at++, from++) {
    (matrix[at] as number) -= factor * (matrix[from] as number);
  }
}
