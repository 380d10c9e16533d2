import { l2, Ranking } from "./distances";
import { type Scale, scaleOf } from "./scale";

/** Distances from one example, ranked and scaled: all that a picture of them needs. */
export interface Ranked {
  readonly from: number;
  /** (n,) */
  readonly distances: Float32Array;
  /** Examples, nearest first, (n,). */
  readonly order: Uint32Array;
  readonly scale: Scale;
}

/** Ranks distances. It reuses its arrays: a result is valid until the next one. */
export class Ranker {
  readonly #ranking = new Ranking();
  #distances = new Float32Array(0);
  #order = new Uint32Array(0);

  /** From a row of a row-major (n, d) matrix. */
  ofMatrix(matrix: Float32Array, d: number, row: number): Ranked {
    const n = matrix.length / d;
    if (this.#distances.length !== n) this.#distances = new Float32Array(n);
    return this.ofDistances(l2(matrix, d, row, this.#distances), row);
  }

  /** From distances that were computed elsewhere. */
  ofDistances(distances: Float32Array, from: number): Ranked {
    const n = distances.length;
    if (this.#order.length !== n) this.#order = new Uint32Array(n);
    const order = this.#ranking.sort(distances, this.#order);
    return { from, distances, order, scale: scaleOf(distances, order) };
  }
}
