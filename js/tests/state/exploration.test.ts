import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Shared } from "../../src/compute/neighbors";
import { Exploration } from "../../src/state/exploration";
import type { Picture } from "../../src/state/picture";
import { MemorySource, STAGES } from "./memory";

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

test("what is set aside is a place to go to and back from", async () => {
  exploration.setAside(["half"], true);
  await idle();
  expect(source.asked.at(-1)).toBe("embed@a without half");
  expect(exploration.picture.value?.without).toEqual(["half"]);
  exploration.setAside(["other", "half"], true);
  await idle();
  expect(exploration.without.value).toEqual(["other", "half"]);
  exploration.setAside(["half"], false);
  await idle();
  expect(exploration.picture.value?.without).toEqual(["other"]);
  exploration.undo();
  exploration.undo();
  exploration.undo();
  expect(exploration.picture.value?.without).toEqual([]);
  expect(Array.from(exploration.picture.value?.ranked.distances ?? [])).toEqual(STAGES["embed@a"]);
});

describe("a filter", () => {
  const passing = () => exploration.filtering.mask.value && [...exploration.filtering.mask.value];

  test("lets through, and is one step back and forth however it was typed", async () => {
    exploration.go({ selected: 2 });
    await exploration.filter("half", true);
    await exploration.filter("half = low", false);
    expect(passing()).toEqual([1, 1, 1, 0, 0, 0]);
    exploration.undo();
    await idle();
    expect(passing()).toBe(null);
    expect(exploration.filtering.typed.value).toBe("");
    expect(exploration.selected.value).toBe(2);
    exploration.redo();
    await idle();
    expect(passing()).toEqual([1, 1, 1, 0, 0, 0]);
  });

  test("that cannot be read leaves the one in force, and says why", async () => {
    await exploration.filter("e5", true);
    expect(passing()).toEqual([0, 0, 0, 0, 0, 1]);
    expect(await exploration.filter("third = low", false)).toBe(false);
    expect(exploration.filtering.problem.value).toContain("There is no concept “third”");
    expect(exploration.filtering.text.value).toBe("e5");
    expect(passing()).toEqual([0, 0, 0, 0, 0, 1]);
  });

  test("counts for the examples that come, and draws no picture anew", async () => {
    const picture = exploration.picture.value;
    await exploration.filter("half = high", true);
    expect(exploration.picture.value).toBe(picture);
    source.n = 7;
    await exploration.load();
    await idle();
    expect(passing()).toEqual([0, 0, 0, 1, 1, 1, 1]);
  });
});

test("a range of distances is left with the example and the stage it was marked for", () => {
  const { band } = exploration.display;
  band.value = { low: 1, high: 2 };
  exploration.go({ plain: true });
  expect(band.value).not.toBe(null);
  exploration.go({ selected: 3 });
  expect(band.value).toBe(null);
});

test("a concept that was made colors the grid once it has been read", async () => {
  exploration.colorWhenRead("half");
  await idle();
  expect(exploration.colorBy.value).toBe("half");
  exploration.colorWhenRead("new");
  expect(exploration.colorBy.value).toBe("half");
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

test("on the map each example is a point, and undo goes back to the lattice", async () => {
  exploration.go({ arrange: "map" });
  await idle();
  expect(source.asked.at(-1)).toBe("pca of embed@a");
  expect(exploration.picture.value?.layout?.points).toHaveLength(12);
  expect(exploration.guide.axes.value).toBe(null);
  exploration.undo();
  expect(exploration.picture.value?.layout).toBe(null);
  expect(exploration.guide.axes.value).toEqual(["half", "half"]);
});

test("what is chosen has a tab of its own, and is a step to go back from", () => {
  exploration.choose([1, 4]);
  expect(exploration.choice.mask.value).toEqual(Uint8Array.of(0, 1, 0, 0, 1, 0));
  expect(exploration.tabShown.value).toBe("chosen");
  exploration.undo();
  expect(exploration.choice.mask.value).toBe(null);
  expect(exploration.tabs.value).not.toContain("chosen");
  expect(exploration.tabShown.value).toBe("near");
  exploration.redo();
  expect([...exploration.choice.examples.value]).toEqual([1, 4]);
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
    expect(exploration.guide.axes.value).toEqual(["half", "other"]);
    expect(exploration.picture.value?.arrangement.blocks.columns?.name).toBe("other");
    exploration.go({ arrangeBy: ["other", "half"] });
    expect(exploration.guide.axes.value).toEqual(["other", "half"]);
    exploration.go({ stage: "embed@a", arrangeBy: [] });
    expect(exploration.guide.axes.value).toEqual(["half", "half"]);
  });

  test("keeps the arrangement that is on screen until the newest is followed", async () => {
    exploration.stage.value = "logits@a";
    await exploration.refresh(0);
    const before = exploration.picture.value;
    expect(exploration.guide.waits.value).toBe(true);
    expect(before?.arrangement.blocks.columns?.name).not.toBe("other");
    exploration.go({ selected: 2 });
    expect(exploration.guide.waits.value).toBe(true);
    exploration.rearrange();
    await idle();
    expect(exploration.guide.waits.value).toBe(false);
    expect(exploration.picture.value?.arrangement.blocks.columns?.name).toBe("other");
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

test("of many examples the map is colored by the first ones before stages are got ready", async () => {
  const large = new MemorySource();
  large.n = 3000;
  vi.spyOn(large, "prepare").mockImplementation(async () => {
    large.asked.push("prepare");
  });
  const exploration = new Exploration(large, 2 ** 20);
  exploration.stage.value = "embed@a";
  await exploration.load();
  expect(large.asked.filter((what) => !what.startsWith("embed@a"))).toEqual([
    "atlas of embed in 1000",
    "prepare",
    "atlas of embed",
  ]);
});
