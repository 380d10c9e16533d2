import { beforeEach, describe, expect, test } from "vitest";
import type { Atlas } from "../src/compute/atlas";
import type { Coded } from "../src/compute/blocks";
import type { Partition, Shared } from "../src/compute/shared";
import { Exploration, type Picture } from "../src/exploration";
import type {
  Call,
  Clusters,
  Contents,
  Distances,
  Found,
  Labels,
  Lens,
  Matrix,
  Source,
  Tokens,
} from "../src/source/source";
import type { Swap, SwapTest, Tested } from "../src/source/swap";
import type { Trace } from "../src/source/trace";

const STAGES: Readonly<Record<string, number[]>> = {
  "embed@a": [0, 1, 2, 3, 10, 11],
  "logits@a": [5, 1, 0, 0, 2, 9],
};

/** Six examples at two stages of one number each; what it is asked for waits to be let go. */
class MemorySource implements Source {
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
  async partitions(): Promise<Partition[]> {
    return (await this.concepts()).map((concept) => ({ ...concept, family: null }));
  }
  async atlas(kinds: readonly string[]): Promise<Atlas> {
    this.asked.push(`atlas of ${kinds}`);
    return {
      stages: new Map([["logits@a", 0]]),
      concepts: ["half"],
      families: [null],
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
  async certificate(): Promise<SwapTest> {
    throw new Error("there is no model");
  }
  async certificates(): Promise<ReadonlyMap<string, Tested>> {
    return new Map();
  }
  async captions(): Promise<string[]> {
    return [];
  }
  async trace(): Promise<Trace> {
    throw new Error("there is nothing to trace");
  }
  forget(): void {
    this.matrices.clear();
  }
}

let source: MemorySource;
let exploration: Exploration;

async function started(budget = 1000): Promise<void> {
  source = new MemorySource();
  exploration = new Exploration(source, budget);
  exploration.stage.value = "embed@a";
  await exploration.load();
}

/** Lets everything that waits on promises alone go on. */
const idle = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => started());

test("draws the first picture, arranged by the position's axes", () => {
  const picture = exploration.picture.value;
  expect(Array.from(picture?.ranked.distances ?? [])).toEqual(STAGES["embed@a"]);
  expect(picture?.arrangement.blocks.rows?.labels).toEqual(["low", "high"]);
});

test("undo and redo walk through what was selected", () => {
  exploration.go({ selected: 3 });
  exploration.go({ selected: 5 });
  exploration.undo();
  expect(exploration.picture.value?.selected).toBe(3);
  exploration.redo();
  expect(exploration.picture.value?.selected).toBe(5);
  exploration.undo();
  exploration.undo();
  expect(exploration.canUndo.value).toBe(false);
  expect(exploration.picture.value?.selected).toBe(0);
});

test("the stage chosen last is the one that is drawn", async () => {
  source.waiting = [];
  exploration.go({ stage: "logits@a" });
  exploration.go({ stage: "broken@a" });
  exploration.go({ stage: "logits@a", selected: 1 });
  for (const letGo of source.waiting) letGo();
  await idle();
  expect(exploration.picture.value).toMatchObject({ stage: "logits@a", selected: 1 });
  expect(exploration.problem.value).toBe("");
});

test("a stage that fails is said so, and the picture stays", async () => {
  exploration.go({ stage: "broken@a" });
  await idle();
  expect(exploration.problem.value).toBe("there is no stage broken@a");
  expect(exploration.stage.value).toBe("embed@a");
  expect(exploration.canUndo.value).toBe(false);
});

test("cancelling goes back to what is on screen", async () => {
  source.waiting = [];
  exploration.go({ stage: "logits@a" });
  exploration.cancel();
  await idle();
  expect(exploration.stage.value).toBe("embed@a");
  expect(exploration.picture.value?.stage).toBe("embed@a");
});

test("a preview has its own distances, and moves nothing", () => {
  const places = exploration.picture.value?.arrangement.places.slice();
  exploration.point(4);
  expect(Array.from(exploration.preview.value?.distances ?? [])).toEqual([10, 9, 8, 7, 0, 1]);
  expect(exploration.picture.value?.arrangement.places).toEqual(places);
  expect(exploration.picture.value?.ranked.distances[4]).toBe(10);
  exploration.point(null);
  expect(exploration.preview.value).toBeNull();
});

test("a matrix over the budget stays where it is, and is not previewed", async () => {
  await started(23);
  expect(source.asked).toEqual(["embed@a from 0", "atlas of embed"]);
  exploration.point(4);
  expect(exploration.preview.value).toBeNull();
  exploration.go({ selected: 5 });
  await idle();
  expect(Array.from(exploration.picture.value?.ranked.distances ?? [])).toEqual([
    11, 10, 9, 8, 1, 0,
  ]);
});

test("a matrix of just the budget is brought here", async () => {
  await started(24);
  expect(source.asked).toEqual(["embed@a", "atlas of embed"]);
});

test("an example that was added is selected once it has been read", async () => {
  await exploration.find("anything");
  expect(exploration.picture.value?.selected).toBe(0);
  await exploration.load();
  expect(exploration.picture.value?.selected).toBe(6);
  expect(exploration.picture.value?.ranked.distances).toHaveLength(7);
});

test("the plain order is the examples' own", () => {
  exploration.go({ plain: true });
  expect(Array.from(exploration.picture.value?.arrangement.examples ?? [])).toEqual([
    0, 1, 2, 3, 4, 5,
  ]);
});

describe("the atlas", () => {
  test("is asked for once the first picture is there, and for all kinds when they are shown", async () => {
    expect(source.asked).toEqual(["embed@a", "atlas of embed"]);
    exploration.showAllKinds(true);
    exploration.showAllKinds(false);
    exploration.showAllKinds(true);
    await idle();
    expect(source.asked.filter((what) => what === "atlas of embed,logits,broken")).toHaveLength(2);
    exploration.showAllKinds(true);
    expect(source.asked.filter((what) => what === "atlas of embed,logits,broken")).toHaveLength(2);
  });

  test("is asked for again when more than a few examples were added", async () => {
    const atlases = () => source.asked.filter((what) => what.startsWith("atlas")).length;
    source.n = 1000;
    await exploration.load();
    expect(atlases()).toBe(2);
    source.n = 1001;
    await exploration.load();
    expect(atlases()).toBe(2);
    source.n = 1020;
    await exploration.load();
    expect(atlases()).toBe(3);
  });

  test("arranges the grid where the user has not", async () => {
    exploration.go({ stage: "logits@a" });
    await idle();
    expect(exploration.axes.value).toEqual(["half", "other"]);
    expect(exploration.picture.value?.arrangement.blocks.columns?.name).toBe("other");
    exploration.go({ arrangeBy: ["other", "half"] });
    expect(exploration.axes.value).toEqual(["other", "half"]);
    exploration.go({ stage: "embed@a", arrangeBy: [] });
    expect(exploration.axes.value).toEqual(["half", "half"]);
  });
});

describe("what the neighbors share", () => {
  test("follows the picture once it is on screen, and the number of neighbors", () => {
    expect(exploration.knowledge.shared.value).toBeNull();
    exploration.k.value = 2;
    exploration.settle(exploration.picture.value as Picture);
    const { shared } = exploration.knowledge;
    expect(Array.from(shared.value?.near ?? [])).toEqual([1, 2]);
    exploration.k.value = 5;
    expect(shared.value?.near).toHaveLength(5);
  });

  test("is marked while a bar is pointed at", () => {
    exploration.k.value = 4;
    exploration.settle(exploration.picture.value as Picture);
    const { knowledge } = exploration;
    const codes = Uint8Array.of(0, 0, 0, 1, 1, 1);
    const partition = { name: "half", values: ["low", "high"], codes, missing: 255, family: null };
    knowledge.mark({ partition, code: 0 } as unknown as Shared);
    expect(Array.from(knowledge.marked.value ?? [])).toEqual([1, 2]);
    knowledge.mark(null);
    expect(knowledge.marked.value).toBeNull();
  });
});

describe("colored by cluster", () => {
  test("the grid has the clusters of its stage, asked for once", async () => {
    exploration.color("cluster");
    await idle();
    expect(exploration.colored.value?.values).toEqual(["four", "rest"]);
    exploration.go({ selected: 2 });
    expect(exploration.colored.value?.values).toEqual(["four", "rest"]);
    expect(source.asked.filter((what) => what.startsWith("clusters"))).toHaveLength(1);
  });

  test("a stage without clusters is said so, and the picture stays as it was", async () => {
    exploration.color("cluster");
    await idle();
    exploration.go({ stage: "logits@a" });
    await idle();
    expect(exploration.problem.value).toBe("all examples are the same there");
    expect(exploration.picture.value?.stage).toBe("embed@a");
    expect(exploration.colored.value?.values).toEqual(["four", "rest"]);
  });
});

test("a large matrix comes after the picture, for hovering", async () => {
  source = new MemorySource();
  source.n = 300_000;
  exploration = new Exploration(source, 2 ** 22);
  exploration.stage.value = "embed@a";
  await exploration.load();
  expect(source.asked.slice(0, 2)).toEqual(["embed@a from 0", "embed@a"]);
  exploration.point(1);
  expect(exploration.preview.value?.from).toBe(1);
});
