import { beforeEach, expect, test } from "vitest";
import type { LayoutMethod } from "../../../src/data/layout";
import type { Metric } from "../../../src/data/metric";
import { Channel, type Listener } from "../../../src/source/kernel/channel";
import type { What } from "../../../src/source/wire/messages";
import { WireSource } from "../../../src/source/wire/wire";
import replies from "../../replies.json";

type Fields = Readonly<Record<string, unknown>>;

const ENVELOPE = ["type", "id", "view", "then"];

/** Answers each request with what Python answered to it, and counts which fields are read. */
class Recorded {
  readonly read = new Set<string>();
  answer: (typeof replies)[number] | null = null;
  #listener: Listener = () => undefined;

  send(message: unknown): void {
    const { answer } = this;
    const { id, view, type, ...request } = message as Fields;
    if (!answer || type !== "request") return;
    expect(request).toEqual(answer.request);
    const fields: Fields = { ...answer.fields, id, view, type: "reply" };
    const watched = new Proxy(fields, {
      get: (target, name) => {
        this.read.add(String(name));
        return target[String(name)];
      },
    });
    const buffers = answer.buffers.map(
      (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer,
    );
    queueMicrotask(() => this.#listener(watched, buffers));
  }
  on(event: string, listener: Listener): void {
    if (event === "msg:custom") this.#listener = listener;
  }
  off(): void {}
}

let kernel: Recorded;
let source: WireSource;

beforeEach(() => {
  kernel = new Recorded();
  const heard = { changed: () => undefined, gone: () => undefined, back: () => undefined };
  source = new WireSource(new Channel(kernel, heard, new AbortController().signal), 2 ** 20);
});

interface Asked {
  readonly what: What;
  readonly stage: string;
  readonly row: number;
  readonly k: number;
  readonly names: string[];
  readonly kinds: string[];
  readonly first: number | null;
  readonly text: string;
  readonly receiver: number;
  readonly donor: number;
  readonly free: boolean;
  readonly without: string[];
  readonly metric: Metric;
  readonly pairs: number | null;
  readonly component: number | null;
  readonly answer: string;
  readonly method: LayoutMethod;
  readonly name: string;
  readonly chosen: string;
}

/** Asks as the page does for what a recorded request asks for. */
function ask(request: Fields): Promise<unknown> {
  const asked = request as unknown as Asked;
  const { what, stage, row, k, names, kinds, first, text, receiver, donor, free, answer } = asked;
  const { pairs, component, metric, method, name, chosen } = asked;
  const asks: Record<What, () => Promise<unknown>> = {
    hello: () => source.contents(),
    captions: () => source.captions(row),
    labels: () => source.labels(),
    tokens: () => source.tokens(),
    concepts: () => source.concepts(names),
    matrix: () => source.matrix(asked),
    distances: () => source.distances(asked, row),
    find: () => source.find(text),
    load: () => source.load(),
    prepare: () => source.prepare(),
    partitions: () => source.partitions(),
    atlas: () => source.atlas(kinds, first, metric),
    lens: () => source.lens(stage, row, k, metric),
    shared_texts: () => source.sharedTexts(asked, row, k),
    clusters: () => source.clusters(asked),
    swap: () => source.swap(stage, receiver, donor, free),
    swap_test: () => source.swapTest(stage, pairs, metric),
    account: () => source.account(stage, metric),
    parts: () => source.parts(asked),
    second_parts: () => source.secondParts(kinds, metric),
    concept_of: () => source.conceptOf(asked, component),
    layout: () => source.layout(asked, method),
    concept_of_chosen: () => source.conceptOfChosen(name, chosen),
    swap_tests: () => source.swapTests(kinds, metric),
    trace: () => source.trace(row, answer),
  };
  return asks[what]();
}

/** Whether something in a value is missing that should be there. */
function hasHoles(value: unknown): boolean {
  if (value === undefined || Number.isNaN(value)) return true;
  if (value instanceof Map) return [...value.values()].some(hasHoles);
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return false;
  return Object.values(value).some(hasHoles);
}

replies.forEach((reply) => {
  test(`what Python answers to ${JSON.stringify(reply.request)} is read, and nothing is left over`, async () => {
    kernel.answer = reply;
    const found = await ask(reply.request);
    if (!["load", "prepare"].includes(reply.request.what)) expect(hasHoles(found)).toBe(false);
    const read = [...kernel.read].filter((name) => !ENVELOPE.includes(name));
    expect(read.sort()).toEqual(Object.keys(reply.fields).sort());
  });
});
