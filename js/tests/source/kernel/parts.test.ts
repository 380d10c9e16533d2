import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Channel, type Listener } from "../../../src/source/kernel/channel";
import { aborted } from "../../../src/source/source";

type Fields = Record<string, unknown>;

const PART = 64;
const AT_A_TIME = 4;

/** The same numbers for the same seed (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Answers in parts as `clusterwidget/wire/parts.py` does, over a way that may lose or mix them. */
class Kernel {
  readonly sent: Fields[] = [];
  readonly way: [Fields, Uint8Array[]][] = [];
  readonly kept = new Map<number, { readonly stream: Uint8Array; readonly text: number }>();
  readonly requests: Fields[] = [];
  readonly #coming = new Map<unknown, Map<number, string>>();
  #listener: Listener = () => undefined;

  on(event: string, listener: Listener): void {
    if (event === "msg:custom") this.#listener = listener;
  }
  off(): void {}
  send(content: unknown): void {
    const message = content as Fields;
    this.sent.push(message);
    if (message.type === "more") this.parts(message.id as number, message.parts as number[]);
    if (message.type === "received" || message.type === "cancel") {
      this.kept.delete(message.id as number);
    }
    if (message.type === "request") this.requests.push(message);
    if (message.type === "part") this.#take(message);
  }
  #take({ id, view, part, parts, text }: Fields): void {
    this.way.push([{ type: "got", id, view, part }, []]);
    const coming = this.#coming.get(id) ?? new Map<number, string>();
    this.#coming.set(id, coming.set(part as number, text as string));
    if (coming.size < (parts as number)) return;
    const whole = Array.from({ length: coming.size }, (_, at) => coming.get(at)).join("");
    this.requests.push(JSON.parse(whole));
  }
  get view(): unknown {
    return this.sent[0]?.view;
  }
  /** Answers a request; the first parts are on their way. */
  answer(id: number, fields: Fields, buffers: Uint8Array[]): void {
    const text = new TextEncoder().encode(
      JSON.stringify({ fields, sizes: buffers.map(({ length }) => length) }),
    );
    const pieces = [text, ...buffers];
    const padded = pieces.map(({ length }) => Math.ceil(length / 8) * 8);
    const stream = new Uint8Array(padded.reduce((sum, size) => sum + size, 0));
    let at = 0;
    pieces.forEach((piece, i) => {
      stream.set(piece, at);
      at += padded[i] as number;
    });
    this.kept.set(id, { stream, text: text.length });
    this.parts(
      id,
      Array.from({ length: AT_A_TIME }, (_, part) => part),
    );
  }
  parts(id: number, parts: number[]): void {
    const kept = this.kept.get(id);
    if (!kept) return;
    const { stream, text } = kept;
    const count = Math.ceil(stream.length / PART);
    for (const part of parts.filter((each) => each < count)) {
      const at = part * PART;
      const about = { type: "part", id, view: this.view, part, parts: count, at };
      const sizes = { size: stream.length, text, at_a_time: AT_A_TIME };
      const bytes = stream.slice(at, at + PART);
      // A part may lie in several buffers.
      const cut = Math.floor(bytes.length / 3);
      this.way.push([{ ...about, ...sizes }, [bytes.subarray(0, cut), bytes.subarray(cut)]]);
    }
  }
  alive(): void {
    const open = [...this.kept.keys()];
    this.#listener({ type: "alive", view: this.view, open, unread: open }, []);
  }
  /** Delivers one of the messages under way. */
  deliver(at: number): void {
    const [[message, buffers]] = this.way.splice(at, 1) as [[Fields, Uint8Array[]]];
    this.#listener(message, buffers);
  }
  /** Delivers in any order, and loses some; where all is quiet, says that it is alive. */
  run(next: () => number, lost = 0): void {
    for (let step = 0; step < 5000; step++) {
      if (this.way.length > 0) {
        const at = Math.floor(next() * this.way.length);
        if (next() < lost) this.way.splice(at, 1);
        else this.deliver(at);
      } else if (this.kept.size > 0) this.alive();
      else return;
    }
    throw new Error("it never ends");
  }
}

let kernel: Kernel;
let channel: Channel;
let ending: AbortController;

beforeEach(() => {
  kernel = new Kernel();
  ending = new AbortController();
  const heard = { changed: () => undefined, gone: () => undefined, back: () => undefined };
  channel = new Channel(kernel, heard, ending.signal);
});
afterEach(() => ending.abort());

const LEFT = { stage: "embed@a", without: [], metric: "l2" as const };
const said = (id: number) => ({ d: id, columns: ["ü".repeat(id * 30)] });

describe("a large answer", () => {
  test("is read whatever its size, in any order, mixed with another, though parts are lost", async () => {
    for (let seed = 0; seed < 60; seed++) {
      const next = chance(seed);
      const some = (most: number) =>
        Uint8Array.from({ length: Math.floor(next() * most) }, () => 256 * next());
      const first = kernel.requests.length + 1;
      const asked = [channel.request("matrix", LEFT), channel.request("matrix", LEFT)];
      const answers = asked.map(() => [some(5 * PART), some(3), some(30 * PART)]);
      answers.forEach((buffers, i) => {
        kernel.answer(first + i, said(i), buffers);
      });
      kernel.run(next, seed % 3 === 0 ? 0 : 0.2);
      for (const [i, reply] of (await Promise.all(asked)).entries()) {
        expect(reply.fields).toEqual(said(i));
        expect(reply.buffers.map((bytes) => [...bytes])).toEqual(answers[i]?.map((b) => [...b]));
        for (const { byteOffset } of reply.buffers) expect(byteOffset % 8).toBe(0);
      }
      expect(kernel.kept.size).toBe(0);
    }
  });

  test("says how much has been read, and has few parts under way", async () => {
    const onProgress = vi.fn();
    const asked = channel.request("matrix", LEFT, { onProgress });
    kernel.answer(1, said(1), [new Uint8Array(20 * PART)]);
    expect(kernel.way).toHaveLength(AT_A_TIME);
    while (kernel.way.length > 0) {
      kernel.deliver(0);
      expect(kernel.way.length).toBeLessThanOrEqual(AT_A_TIME);
    }
    await asked;
    expect(onProgress).toHaveBeenLastCalledWith({ done: 0, total: 1, text: "reading", unit: "MB" });
    expect(kernel.sent.at(-1)).toMatchObject({ type: "received", id: 1 });
  });

  test("is given up when called off half-way, and the kernel is told", async () => {
    const controller = new AbortController();
    const asked = channel.request("matrix", LEFT, { signal: controller.signal });
    const other = channel.request("matrix", LEFT);
    kernel.answer(1, said(1), [new Uint8Array(20 * PART)]);
    kernel.answer(2, said(2), [Uint8Array.of(7)]);
    kernel.deliver(1);
    controller.abort();
    await expect(asked).rejects.toSatisfy(aborted);
    expect(kernel.sent.at(-1)).toMatchObject({ type: "cancel", id: 1 });
    const told = kernel.sent.length;
    kernel.run(chance(0));
    expect((await other).buffers[0]).toEqual(Uint8Array.of(7));
    expect(kernel.sent.slice(told).filter(({ id }) => id === 1)).toEqual([]);
  });

  test("that was called off too late is not kept by the kernel", () => {
    const controller = new AbortController();
    channel.request("matrix", LEFT, { signal: controller.signal }).catch(() => undefined);
    controller.abort();
    kernel.answer(1, said(1), [new Uint8Array(20 * PART)]);
    kernel.alive();
    expect(kernel.sent.at(-1)).toMatchObject({ type: "received", id: 1 });
  });

  test("whose parts never come fails in words, after it was asked for ever less often", async () => {
    const failed = expect(channel.request("matrix", LEFT)).rejects.toThrow("did not arrive");
    kernel.answer(1, said(1), [new Uint8Array(20 * PART)]);
    kernel.way.shift();
    while (kernel.way.length > 0) kernel.deliver(0);
    const asked: number[] = [];
    for (let sign = 1; kernel.kept.size > 0; sign++) {
      const before = kernel.sent.length;
      kernel.alive();
      kernel.way.length = 0;
      if (kernel.sent.length > before && kernel.kept.size > 0) asked.push(sign);
      expect(sign).toBeLessThan(1000);
    }
    await failed;
    expect(asked).toEqual([3, 9, 21, 45, 93]);
    expect(kernel.sent.filter(({ type }) => type === "more").at(-1)?.parts).toEqual([0]);
  });
});

describe("a large request", () => {
  const text = `${'a long text, ü, \ud83d\ude00 and "quotes" \\'.repeat(20_000)}`;

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    ending.abort();
    vi.useRealTimers();
  });

  test("arrives whole, in messages that are not large, few at a time", () => {
    channel.request("find", { text }).catch(() => undefined);
    expect(kernel.sent).toHaveLength(4);
    while (kernel.way.length > 0) kernel.deliver(kernel.way.length - 1);
    expect(kernel.requests).toMatchObject([{ what: "find", text, id: 1, view: kernel.view }]);
    for (const message of kernel.sent) expect(JSON.stringify(message).length).toBeLessThan(2 ** 20);
  });

  test("is sent again where the kernel does not say that it has it", async () => {
    channel.request("find", { text }).catch(() => undefined);
    kernel.way.splice(1, 2);
    kernel.deliver(0);
    kernel.run(chance(0));
    expect(kernel.requests).toHaveLength(1);
    const before = kernel.sent.length;
    await vi.advanceTimersByTimeAsync(2500);
    expect(kernel.sent.slice(before).map(({ part }) => part)).toEqual([1, 2]);
    kernel.run(chance(0));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kernel.sent).toHaveLength(before + 2);
  });

  test("that nobody takes fails in words", async () => {
    const failed = expect(channel.request("find", { text })).rejects.toThrow("did not take all");
    await vi.advanceTimersByTimeAsync(300_000);
    await failed;
  });

  test("can be called off", async () => {
    const controller = new AbortController();
    const asked = channel.request("find", { text }, { signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toSatisfy(aborted);
    const before = kernel.sent.length;
    while (kernel.way.length > 0) kernel.deliver(0);
    expect(kernel.sent).toHaveLength(before);
  });
});
