import { type Ranked, Ranker } from "../compute/ranked";
import type { Contents } from "../data/contents";
import { type Left, leftKey } from "../data/left";
import type { Distances } from "../data/matrix";
import type { Dominated } from "../data/metric";
import { parseStage } from "../data/stage";
import type { Call, Source } from "../source/source";

/** Distances from an example at a stage, with its vector, (d,), and what the vector's columns are. */
export interface Measured {
  readonly ranked: Ranked;
  readonly vector: Float32Array;
  readonly columns: readonly string[] | null;
  /** The coordinates that carry most of L2, where a few do. */
  readonly dominated: Dominated | null;
}

/** A larger matrix takes long to fetch, so the distances are asked for first. */
const AT_ONCE_BYTES = 2 ** 20;

/** Distances: computed here where the stage's matrix is within the budget, else by the source. */
export class Supply {
  readonly #source: Source;
  readonly #budget: number;
  readonly #ranker = new Ranker();
  readonly #previewRanker = new Ranker();
  #remote: Distances | null = null;

  /** @param budget bytes of the largest stage matrix to bring here */
  constructor(source: Source, budget: number) {
    this.#source = source;
    this.#budget = budget;
  }

  /** Fetches what `measure` needs. */
  async fetch(contents: Contents, left: Left, selected: number, call: Call): Promise<void> {
    const atOnce = Math.min(this.#budget, AT_ONCE_BYTES);
    if (this.#source.held(left) || this.#bytes(contents, left.stage) <= atOnce) {
      await this.#source.matrix(left, call);
    } else if (this.#remote?.key !== leftKey(left) || this.#remote.row !== selected) {
      this.#remote = await this.#source.distances(left, selected, call);
    }
  }

  /** Fetches a matrix within the budget, for the distances from all other examples. */
  async fetchMatrix(contents: Contents, left: Left, call: Call): Promise<void> {
    if (this.#source.held(left)) return;
    if (this.#bytes(contents, left.stage) <= this.#budget) await this.#source.matrix(left, call);
  }

  /** Distances from the selected example, or null if what they need is not here. */
  measure(left: Left, selected: number): Measured | null {
    const matrix = this.#source.held(left);
    if (matrix) {
      const { values, d, columns, dominated } = matrix;
      const vector = values.subarray(selected * d, selected * d + d);
      const ranked = this.#ranker.ofMatrix(values, d, selected);
      return { ranked, vector, columns, dominated };
    }
    const remote = this.#remote;
    if (remote?.key !== leftKey(left) || remote.row !== selected) return null;
    const { values, vector, columns, dominated } = remote;
    return { ranked: this.#ranker.ofDistances(values, selected), vector, columns, dominated };
  }

  /** Distances from any example, or null where the matrix is not here. */
  preview(left: Left, example: number): Ranked | null {
    const matrix = this.#source.held(left);
    return matrix ? this.#previewRanker.ofMatrix(matrix.values, matrix.d, example) : null;
  }

  /** Forgets what it holds: the examples or the model have changed. */
  forget(): void {
    this.#source.forget();
    this.#remote = null;
  }

  #bytes(contents: Contents, stage: string): number {
    const parsed = parseStage(stage);
    const row = contents.rows.find(
      ({ kind, layer, head }) =>
        kind === parsed?.kind && layer === parsed.layer && head === parsed.head,
    );
    const d = row?.widths[contents.positions.indexOf(parsed?.position ?? "")] ?? 0;
    return contents.n * d * 4;
  }
}
