import type { Atlas } from "../../src/data/atlas";
import type { Clusters, Coded, Partitions } from "../../src/data/concepts";
import type { Contents, Labels, Tokens } from "../../src/data/contents";
import type { Layout, LayoutMethod } from "../../src/data/layout";
import { type Left, leftKey } from "../../src/data/left";
import type { Lens } from "../../src/data/lens";
import type { Distances, Matrix } from "../../src/data/matrix";
import type { Metric } from "../../src/data/metric";
import type { SecondPart, StageParts } from "../../src/data/parts";
import type { Swap } from "../../src/data/swap";
import type { KnownTests, SwapTest } from "../../src/data/swaptest";
import type { SharedTexts } from "../../src/data/texts";
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
  hasTexts = false;

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
      hasTexts: this.hasTexts,
      concepts: ["half"],
      descriptions: new Map(),
      layouts: ["pca"],
      axes: { a: ["half", "half"] },
      answers: [],
      canParse: true,
      hasModel: true,
      saved: null,
    };
  }
  async labels(): Promise<Labels> {
    return { length: this.n, at: (example) => `e${example}` };
  }
  async tokens(): Promise<Tokens> {
    return {
      ids: new Uint8Array(this.n),
      positions: 1,
      vocabulary: { 0: "x" },
      answers: [],
      fed: null,
    };
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
  readonly layouts = new Map<string, Layout>();
  heldLayout(left: Left): Layout | undefined {
    return this.layouts.get(leftKey(left));
  }
  async layout(left: Left, method: LayoutMethod): Promise<Layout> {
    this.asked.push(`${method} of ${left.stage}`);
    const points = Float32Array.from({ length: 2 * this.n }, (_, i) => i);
    const layout: Layout = { method, points, shares: [0.7, 0.2] };
    this.layouts.set(leftKey(left), layout);
    return layout;
  }
  async conceptOfChosen(name: string): Promise<string> {
    return name;
  }
  held(left: Left): Matrix | undefined {
    return this.matrices.get(leftKey(left));
  }
  async matrix(left: Left, call?: Call): Promise<Matrix> {
    const { stage, without, metric } = left;
    const by = metric === "l2" ? "" : ` by ${metric}`;
    this.asked.push([stage + by, ...without].join(" without "));
    if (this.waiting) {
      await new Promise<void>((resolve, reject) => {
        this.waiting?.push(resolve);
        call?.signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      });
    }
    const numbers = STAGES[stage];
    if (!numbers) throw new Error(`there is no stage ${stage}`);
    // Set aside, the values are those of a stage where they run backwards.
    const sign = without.length > 0 ? -1 : 1;
    const values = Float32Array.from({ length: this.n }, (_, i) => sign * (numbers[i] ?? 100));
    const matrix = { values, d: 1, columns: null, dominated: null };
    this.matrices.set(leftKey(left), matrix);
    return matrix;
  }
  async distances(left: Left, row: number): Promise<Distances> {
    const { stage } = left;
    this.asked.push(`${stage} from ${row}`);
    const numbers = STAGES[stage] as number[];
    const values = Float32Array.from({ length: this.n }, (_, i) =>
      Math.abs((numbers[i] ?? 100) - (numbers[row] as number)),
    );
    const vector = Float32Array.of(numbers[row] as number);
    return { key: leftKey(left), row, values, vector, columns: null, dominated: null };
  }
  async find(): Promise<Found> {
    this.n++;
    return { index: this.n - 1, added: true };
  }
  async load(): Promise<void> {}
  async prepare(): Promise<void> {}
  async partitions(): Promise<Partitions> {
    const all = await this.concepts();
    const determined = new Float32Array(all.length ** 2).fill(1);
    return { all, determined, wide: 1, nested: 0.8, nearlyAsStrong: 0.8, significant: 0.05 };
  }
  async atlas(kinds: readonly string[], first: number | null, metric: Metric): Promise<Atlas> {
    const by = metric === "l2" ? "" : ` by ${metric}`;
    this.asked.push(`atlas of ${kinds}${first === null ? "" : ` in ${first}`}${by}`);
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
    const nothing = { available: false, reason: "no", waits: false, kind: "probability" } as const;
    return { ...nothing, stage, row, tokens: [], answer: null, same: 0, of: 0 };
  }
  async sharedTexts(left: Left, row: number, k: number): Promise<SharedTexts> {
    this.asked.push(`texts near ${row} at ${left.stage}`);
    const shares = { share: 1, base: 0.1, p: 0.001 };
    const matches = Uint32Array.of(1, 0, 1, 2, 0, 1, 1, 2, 3);
    return { ...left, row, k, patterns: [{ text: " it", where: "here", ...shares, matches }] };
  }
  async clusters(left: Left): Promise<Clusters> {
    const { stage } = left;
    this.asked.push(`clusters of ${stage}`);
    if (stage !== "embed@a") throw new Error("all examples are the same there");
    const codes = Uint8Array.from({ length: this.n }, (_, i) => (i < 4 ? 0 : 1));
    return { key: leftKey(left), name: "cluster", values: ["four", "rest"], codes, missing: 255 };
  }
  async parts(left: Left, _call?: Call): Promise<StageParts> {
    this.asked.push(`parts of ${left.stage}`);
    const shares = { alone: 0.6, adds: 0.6, only: 0.6, p: 0 };
    const half = { name: "half", concepts: ["half"], ...shares, color: "blue" };
    return { key: leftKey(left), parts: [half], unexplained: 0.4, spread: 1, components: [] };
  }
  async secondParts(
    kinds: readonly string[],
    _metric: Metric,
    _call?: Call,
  ): Promise<ReadonlyMap<string, SecondPart>> {
    this.asked.push(`second parts of ${kinds}`);
    return new Map([["embed@a", { concept: "half", color: "blue", adds: 0.2 }]]);
  }
  async conceptOf(): Promise<string> {
    return "other";
  }
  async swap(): Promise<Swap> {
    throw new Error("there is no model");
  }
  async swapTest(_stage: string, _pairs: number | null): Promise<SwapTest> {
    throw new Error("there is no model");
  }
  async account(_stage: string): Promise<SwapTest> {
    throw new Error("there is no model");
  }
  async swapTests(_kinds: readonly string[]): Promise<KnownTests> {
    return { known: new Map(), closed: [], stages: [] };
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
