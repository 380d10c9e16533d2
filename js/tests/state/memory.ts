import type { Atlas } from "../../src/data/atlas";
import type { Clusters, Coded, Partitions } from "../../src/data/concepts";
import type { Contents, Labels, Tokens } from "../../src/data/contents";
import type { Lens } from "../../src/data/lens";
import type { Distances, Matrix } from "../../src/data/matrix";
import type { Swap } from "../../src/data/swap";
import type { KnownTests, SwapTest } from "../../src/data/swaptest";
import type { Trace } from "../../src/data/trace";
import type { Call, Found, Source } from "../../src/source/source";

export const STAGES: Readonly<Record<string, number[]>> = {
  "embed@a": [0, 1, 2, 3, 10, 11],
  "logits@a": [5, 1, 0, 0, 2, 9],
};

/** Six examples at two stages of one number each; what it is asked for waits to be let go. */
export class MemorySource implements Source {
  readonly matrices = new Map<string, Matrix>();
  readonly asked: string[] = [];
  waiting: (() => void)[] | null = null;
  n = 6;

  async contents(): Promise<Contents> {
    return {
      n: this.n,
      positions: ["a"],
      rows: ["embed", "logits", "broken"].map((kind) => ({
        kind,
        layer: null,
        head: null,
        widths: [1],
      })),
      defaultKinds: ["embed"],
      concepts: ["half"],
      axes: { a: ["half", "half"] },
      answers: [],
      canParse: true,
      hasModel: true,
    };
  }
  async labels(): Promise<Labels> {
    return { length: this.n, at: (example) => `e${example}` };
  }
  async tokens(): Promise<Tokens> {
    return { ids: new Uint8Array(this.n), positions: 1, vocabulary: { 0: "x" }, answers: [] };
  }
  async concepts(): Promise<Coded[]> {
    const codes = Uint8Array.from({ length: this.n }, (_, i) => (i < 3 ? 0 : 1));
    return ["half", "other"].map((name) => ({
      name,
      values: ["low", "high"],
      codes,
      missing: 255,
    }));
  }
  held(stage: string): Matrix | undefined {
    return this.matrices.get(stage);
  }
  async matrix(stage: string, call?: Call): Promise<Matrix> {
    this.asked.push(stage);
    if (this.waiting) {
      await new Promise<void>((resolve, reject) => {
        this.waiting?.push(resolve);
        call?.signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      });
    }
    const numbers = STAGES[stage];
    if (!numbers) throw new Error(`there is no stage ${stage}`);
    const values = Float32Array.from({ length: this.n }, (_, i) => numbers[i] ?? 100);
    const matrix = { stage, values, d: 1, columns: null };
    this.matrices.set(stage, matrix);
    return matrix;
  }
  async distances(stage: string, row: number): Promise<Distances> {
    this.asked.push(`${stage} from ${row}`);
    const numbers = STAGES[stage] as number[];
    const values = Float32Array.from({ length: this.n }, (_, i) =>
      Math.abs((numbers[i] ?? 100) - (numbers[row] as number)),
    );
    return { stage, row, values, vector: Float32Array.of(numbers[row] as number), columns: null };
  }
  async find(): Promise<Found> {
    this.n++;
    return { index: this.n - 1, added: true };
  }
  async prepare(): Promise<void> {}
  async partitions(): Promise<Partitions> {
    const all = await this.concepts();
    return { all, wide: 1, nested: 0.8, nearlyAsStrong: 0.8, significant: 0.05 };
  }
  async atlas(kinds: readonly string[], first: number | null): Promise<Atlas> {
    this.asked.push(`atlas of ${kinds}${first === null ? "" : ` in ${first}`}`);
    return {
      stages: new Map([["logits@a", 0]]),
      concepts: ["half"],
      hues: [{ name: "half", color: "blue" }],
      best: [0],
      shares: Float32Array.of(0.9),
      pairs: [["half", "other"]],
      axes: [0],
      notes: [],
    };
  }
  async lens(stage: string, row: number): Promise<Lens> {
    const nothing = { available: false, reason: "no", kind: "probability" } as const;
    return { ...nothing, stage, row, tokens: [], answer: null, same: 0, of: 0 };
  }
  async clusters(stage: string): Promise<Clusters> {
    this.asked.push(`clusters of ${stage}`);
    if (stage !== "embed@a") throw new Error("all examples are the same there");
    const codes = Uint8Array.from({ length: this.n }, (_, i) => (i < 4 ? 0 : 1));
    return { stage, name: "cluster", values: ["four", "rest"], codes, missing: 255 };
  }
  async swap(): Promise<Swap> {
    throw new Error("there is no model");
  }
  async swapTest(_stage: string): Promise<SwapTest> {
    throw new Error("there is no model");
  }
  async swapTests(_kinds: readonly string[]): Promise<KnownTests> {
    return { known: new Map(), stages: [] };
  }
  async captions(_row: number): Promise<string[]> {
    return [];
  }
  async trace(): Promise<Trace> {
    throw new Error("there is nothing to trace");
  }
  forget(): void {
    this.matrices.clear();
  }
}
