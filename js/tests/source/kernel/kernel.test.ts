import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Left } from "../../../src/data/left";
import { Channel, type Listener } from "../../../src/source/kernel/channel";
import { aborted } from "../../../src/source/source";
import { WireSource } from "../../../src/source/wire/wire";

type Fields = Readonly<Record<string, unknown>>;

/** The kernel's end of the messages. */
class FakeKernel {
  readonly sent: Fields[] = [];
  readonly listeners = new Set<Listener>();
  readonly others = new Set<Listener>();

  send(message: unknown): void {
    this.sent.push(message as Fields);
  }
  on(event: string, listener: Listener): void {
    this.#of(event).add(listener);
  }
  off(event: string, listener: Listener): void {
    this.#of(event).delete(listener);
  }
  #of(event: string): Set<Listener> {
    return event === "msg:custom" ? this.listeners : this.others;
  }
  emit(message: Fields, buffers: unknown[] = []): void {
    for (const listener of this.listeners) listener(message, buffers);
  }
  /** Answers the request sent last. */
  answer(type: string, fields: Fields = {}, buffers: unknown[] = []): void {
    const request = this.sent.filter((message) => message.type === "request").at(-1);
    this.emit({ id: request?.id, view: request?.view, ...fields, type }, buffers);
  }
}

let kernel: FakeKernel;
let ending: AbortController;
let source: WireSource;
const changed = vi.fn();
const gone = vi.fn();
const back = vi.fn();

beforeEach(() => {
  kernel = new FakeKernel();
  ending = new AbortController();
  source = new WireSource(new Channel(kernel, { changed, gone, back }, ending.signal), 64);
  for (const heard of [changed, gone, back]) heard.mockClear();
});

function whole(stage: string): Left {
  return { stage, without: [], metric: "l2" };
}

function answerMatrix(values: number[]): void {
  const bytes = new Uint8Array(1 + 4 * values.length);
  new Uint8Array(bytes.buffer, 1).set(new Uint8Array(Float32Array.from(values).buffer));
  const part = new DataView(bytes.buffer, 1);
  kernel.answer("reply", { d: 1, columns: null }, [part]);
}

describe("a stage matrix", () => {
  test("is read from a part of a buffer that is not aligned", async () => {
    const matrix = source.matrix(whole("embed@a"));
    answerMatrix([1.5, -2]);
    expect(Array.from((await matrix).values)).toEqual([1.5, -2]);
    expect((await matrix).d).toBe(1);
  });

  test("is asked for once", async () => {
    const first = source.matrix(whole("embed@a"));
    answerMatrix([1]);
    const matrix = await first;
    expect(await source.matrix(whole("embed@a"))).toBe(matrix);
    expect(source.held(whole("embed@a"))).toBe(matrix);
    expect(kernel.sent).toHaveLength(1);
  });

  test("goes when newer ones need its room, the latest used one last", async () => {
    for (const stage of ["a", "b"]) {
      const asked = source.matrix(whole(stage));
      answerMatrix([1, 2, 3, 4, 5, 6, 7, 8]);
      await asked;
    }
    source.held(whole("a"));
    const asked = source.matrix(whole("c"));
    answerMatrix([1]);
    await asked;
    expect(source.held(whole("a"))).toBeDefined();
    expect(source.held(whole("b"))).toBeUndefined();
  });

  test("is another one with a concept set aside", async () => {
    const first = source.matrix(whole("embed@a"));
    answerMatrix([1]);
    await first;
    const left = { stage: "embed@a", without: ["x"], metric: "l2" as const };
    expect(source.held(left)).toBeUndefined();
    const asked = source.matrix(left);
    expect(kernel.sent.at(-1)).toMatchObject({
      what: "matrix",
      stage: "embed@a",
      without: ["x"],
      metric: "l2",
    });
    answerMatrix([2]);
    expect(Array.from((await asked).values)).toEqual([2]);
    expect(Array.from(source.held(whole("embed@a"))?.values ?? [])).toEqual([1]);
  });

  test("is forgotten on request", async () => {
    const asked = source.matrix(whole("a"));
    answerMatrix([1]);
    await asked;
    source.forget();
    expect(source.held(whole("a"))).toBeUndefined();
  });
});

test("progress reaches the caller, and an error is what the kernel said", async () => {
  const onProgress = vi.fn();
  const asked = source.matrix(whole("a"), { onProgress });
  kernel.answer("progress", { done: 3, total: 9, text: "capturing" });
  kernel.answer("error", { message: "no room in memory" });
  await expect(asked).rejects.toThrow("no room in memory");
  expect(onProgress).toHaveBeenCalledWith({ done: 3, total: 9, text: "capturing" });
});

test("taking a request back tells the kernel, and a late answer changes nothing", async () => {
  const controller = new AbortController();
  const asked = source.matrix(whole("a"), { signal: controller.signal });
  controller.abort();
  answerMatrix([1]);
  await expect(asked).rejects.toSatisfy(aborted);
  expect(kernel.sent[1]).toMatchObject({ type: "cancel", id: kernel.sent[0]?.id });
  expect(source.held(whole("a"))).toBeUndefined();
});

test("answers to another view are not taken", async () => {
  const asked = source.find("1+1");
  kernel.answer("reply", { view: "another", index: 5 });
  kernel.answer("reply", { index: 7, added: true });
  expect(await asked).toEqual({ index: 7, added: true });
});

test("concepts come with their codes and the code for none", async () => {
  const asked = source.concepts(["a"]);
  kernel.answer("reply", { concepts: [{ name: "a", values: ["x", "y"], dtype: "uint16" }] }, [
    Uint16Array.of(1, 0, 65535).buffer,
  ]);
  const [concept] = await asked;
  expect(Array.from(concept?.codes ?? [])).toEqual([1, 0, 65535]);
  expect(concept?.missing).toBe(65535);
});

test("labels are cut by their offsets in bytes", async () => {
  const text = new TextEncoder().encode("añ<b>");
  const asked = source.labels();
  kernel.answer("reply", {}, [text, Uint32Array.of(0, 1, 3, 6)]);
  const labels = await asked;
  expect([0, 1, 2].map((i) => labels.at(i))).toEqual(["a", "ñ", "<b>"]);
});

test("hears that the examples changed, until it ends", async () => {
  kernel.emit({ type: "changed", n: 3 });
  expect(changed).toHaveBeenCalledOnce();
  const open = source.contents();
  ending.abort();
  await expect(open).rejects.toSatisfy(aborted);
  expect(kernel.listeners.size).toBe(0);
  expect(kernel.sent.at(-1)).toEqual({ type: "bye", view: kernel.sent[0]?.view });
});

test("an atlas comes with its shares, by stage", async () => {
  const asked = source.atlas(["embed"], null, "l2");
  expect(kernel.sent.at(-1)).toMatchObject({ what: "atlas", kinds: ["embed"] });
  const fields = {
    stages: ["embed@a", "embed@b"],
    concepts: ["x"],
    hues: [{ name: "x", color: "blue" }],
    hue_of: [0],
    best: [0, -2],
    pairs: [["x", "y"]],
    axes: [0, -1],
    notes: ["one is dropped"],
  };
  kernel.answer("reply", fields, [Float32Array.of(0.5, Number.NaN).buffer]);
  const atlas = await asked;
  expect(atlas.stages.get("embed@b")).toBe(1);
  expect(atlas.notes).toEqual(["one is dropped"]);
  expect(Array.from(atlas.shares)).toEqual([0.5, Number.NaN]);
});

test("partitions and clusters come as codes, the largest one missing", async () => {
  const partitions = source.partitions();
  const described = { name: "x = y", values: ["0", "1"], dtype: "uint8" };
  const limits = { wide: 4, nested: 0.8, nearly_as_strong: 0.7, significant: 0.05 };
  kernel.answer("reply", { partitions: [described], ...limits }, [
    Uint8Array.of(0, 1, 255).buffer,
    Float32Array.of(1).buffer,
  ]);
  const { all, determined, ...rest } = await partitions;
  expect(Array.from(determined)).toEqual([1]);
  expect(all[0]).toMatchObject({ name: "x = y", missing: 255 });
  expect(rest).toEqual({ wide: 4, nested: 0.8, nearlyAsStrong: 0.7, significant: 0.05 });
  const clusters = source.clusters(whole("embed@a"));
  kernel.answer("reply", { names: ["3: x = 1"], dtype: "uint16" }, [Uint16Array.of(0).buffer]);
  expect(await clusters).toMatchObject({
    key: "embed@a\nl2",
    values: ["3: x = 1"],
    missing: 65535,
  });
});

test("a lens says which stage and example it is about", async () => {
  const lens = source.lens("embed@a", 7, 20, "l2");
  expect(kernel.sent.at(-1)).toMatchObject({ what: "lens", stage: "embed@a", row: 7, k: 20 });
  kernel.answer("reply", { available: false, reason: "no" });
  expect(await lens).toMatchObject({ available: false, stage: "embed@a", row: 7 });
});

test("a trace says which answer to which example it is of, and captions are texts", async () => {
  const captions = source.captions(7);
  expect(kernel.sent.at(-1)).toMatchObject({ what: "captions", row: 7 });
  kernel.answer("reply", { captions: ["3+7+1=1", ""] });
  expect(await captions).toEqual(["3+7+1=1", ""]);
  const trace = source.trace(7, "S3");
  expect(kernel.sent.at(-1)).toMatchObject({ what: "trace", row: 7, answer: "S3" });
  kernel.answer("reply", { possible: true, kept_probability: 0.97, nodes: [], edges: [] });
  expect(await trace).toMatchObject({ row: 7, answer: "S3", keptProbability: 0.97, edges: [] });
});

test("a stage that cannot be swapped or tested comes with the reason and no answers", async () => {
  const swap = source.swap("logits@a", 1, 2, false);
  kernel.answer("reply", { possible: false, reason: "nothing follows" });
  const found = { stage: "logits@a", possible: false, reason: "nothing follows", answers: [] };
  expect(await swap).toMatchObject({ ...found, receiver: 1, donor: 2, free: false, unusual: null });
  const test = source.swapTest("logits@a", null, "l2");
  kernel.answer("reply", { possible: false, reason: "nothing follows" });
  expect(await test).toMatchObject(found);
});

describe("a kernel that dies", () => {
  const alive = (...open: unknown[]) => {
    const { view } = kernel.sent[0] as Fields;
    kernel.emit({ type: "alive", view, open, unread: [] });
  };
  const open = () => kernel.sent.map(({ id }) => id);

  beforeEach(() => {
    vi.useFakeTimers();
    vi.setSystemTime(0);
  });
  afterEach(() => {
    ending.abort();
    vi.useRealTimers();
  });

  test("is said to be gone within 3 s, and what was asked of it fails", async () => {
    const asked = source.prepare();
    const failed = expect(asked).rejects.toThrow("The kernel is gone");
    await vi.advanceTimersByTimeAsync(100);
    for (let second = 0; second < 10; second++) {
      alive(...open());
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(gone).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2500);
    expect(gone).toHaveBeenCalledOnce();
    await failed;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is not one whose large answer is under way, on a slow connection", async () => {
    source.prepare({ signal: ending.signal }).catch(() => undefined);
    const { view } = kernel.sent[0] as Fields;
    kernel.emit({ type: "alive", view, open: open(), unread: open() });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(gone).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(gone).toHaveBeenCalledOnce();
  });

  test("is not one that a cell keeps busy: then a request waits, and says so", async () => {
    const onProgress = vi.fn();
    source.prepare({ onProgress, signal: ending.signal }).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gone).not.toHaveBeenCalled();
    expect(onProgress.mock.lastCall?.[0].text).toContain("waiting for the kernel");
    alive(...open());
    expect(onProgress.mock.lastCall?.[0].text).toBe("");
  });

  test("is not one whose page ticked late, in the background or asleep", async () => {
    source.prepare({ signal: ending.signal }).catch(() => undefined);
    alive(...open());
    await vi.advanceTimersByTimeAsync(200);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(250);
    expect(gone).not.toHaveBeenCalled();
    vi.mocked(performance.now).mockRestore();
  });

  test("is back when it is heard again, and what was given up is called off", async () => {
    source.prepare().catch(() => undefined);
    const [id] = open();
    alive(id);
    await vi.advanceTimersByTimeAsync(3000);
    expect(gone).toHaveBeenCalledOnce();
    alive(id);
    expect(back).toHaveBeenCalledOnce();
    expect(kernel.sent.at(-1)).toMatchObject({ type: "cancel", id });
  });
});
