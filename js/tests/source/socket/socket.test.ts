import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Arriving } from "../../../src/source/socket/frames";
import { SocketTransport } from "../../../src/source/socket/socket";
import { aborted } from "../../../src/source/source";

type Fields = Readonly<Record<string, unknown>>;

/** The server's end of a WebSocket. */
class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readonly sent: Fields[] = [];
  readyState = 0;
  binaryType = "";
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor() {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  async open(): Promise<void> {
    this.readyState = 1;
    this.onopen?.();
    await flush();
  }
  close(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  say(message: Fields): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  async answer(fields: Fields = {}, pieces: Uint8Array[] = []): Promise<void> {
    this.say({ type: "reply", id: this.sent.at(-1)?.id, sizes: [], ...fields });
    for (const piece of pieces) this.onmessage?.({ data: piece.slice().buffer });
    await flush();
  }
}

async function flush(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

const heard = { changed: vi.fn(), gone: vi.fn(), back: vi.fn() };
let ending: AbortController;
let transport: SocketTransport;
const latest = () => FakeSocket.all.at(-1) as FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("document", new EventTarget());
  vi.stubGlobal("addEventListener", () => undefined);
  FakeSocket.all = [];
  for (const each of Object.values(heard)) each.mockClear();
  ending = new AbortController();
  transport = new SocketTransport("ws://here/socket", heard, ending.signal);
});

afterEach(() => {
  ending.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("arrays in pieces", () => {
  test("are put together, aligned, the empty ones too", () => {
    const arriving = new Arriving({ type: "reply", id: 1, sizes: [0, 3, 0, 8, 0] });
    arriving.take(Uint8Array.of(1, 2));
    arriving.take(Uint8Array.of(3));
    expect(arriving.complete).toBe(false);
    arriving.take(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect(arriving.complete).toBe(true);
    expect(arriving.buffers.map((buffer) => [...buffer])).toEqual([
      [],
      [1, 2, 3],
      [],
      [1, 2, 3, 4, 5, 6, 7, 8],
      [],
    ]);
    expect(arriving.buffers.every(({ byteOffset }) => byteOffset % 8 === 0)).toBe(true);
  });

  test("are refused where there is more than was said", () => {
    const arriving = new Arriving({ type: "reply", id: 1, sizes: [2] });
    expect(() => arriving.take(Uint8Array.of(1, 2, 3))).toThrow("more than");
  });
});

describe("a connection", () => {
  test("opens with the first request and answers it", async () => {
    const reply = transport.request("matrix", { stage: "embed@a", without: [], metric: "l2" });
    await latest().open();
    expect(latest().sent).toMatchObject([{ type: "request", what: "matrix", stage: "embed@a" }]);
    await latest().answer({ d: 1, sizes: [4] }, [Uint8Array.of(9, 8), Uint8Array.of(7, 6)]);
    const { fields, buffers } = await reply;
    expect(fields.d).toBe(1);
    expect(buffers.map((buffer) => [...buffer])).toEqual([[9, 8, 7, 6]]);
  });

  test("tells the server of what is called off", async () => {
    const calling = new AbortController();
    const reply = transport.request("hello", {}, { signal: calling.signal });
    await latest().open();
    calling.abort();
    await expect(reply.catch(aborted)).resolves.toBe(true);
    expect(latest().sent.map(({ type }) => type)).toEqual(["request", "cancel"]);
  });

  test("that ends fails what is open, says so and is tried again", async () => {
    const reply = transport.request("hello", {});
    await latest().open();
    latest().close();
    await expect(reply).rejects.toThrow("cannot be reached");
    expect(heard.gone).toHaveBeenCalledWith(expect.stringContaining("Trying again"));
    await vi.advanceTimersByTimeAsync(1500);
    expect(FakeSocket.all).toHaveLength(2);
    latest().close();
    await vi.advanceTimersByTimeAsync(3000);
    expect(FakeSocket.all).toHaveLength(3);
    expect(heard.back).not.toHaveBeenCalled();
    await latest().open();
    expect(heard.back).toHaveBeenCalledTimes(1);
  });

  test("that was closed as idle is opened by the next request, and what was typed is typed again", async () => {
    const found = transport.request("find", { text: "1+2" });
    await latest().open();
    await latest().answer({ index: 60, added: true });
    await found;
    latest().close(4408);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(heard.gone).not.toHaveBeenCalled();

    const reply = transport.request("captions", { row: 60 });
    await latest().open();
    expect(latest().sent).toMatchObject([{ what: "find", text: "1+2" }]);
    await latest().answer({ index: 60, added: true });
    expect(latest().sent.at(-1)).toMatchObject({ what: "captions", row: 60 });
    await latest().answer({ captions: ["x"] });
    expect((await reply).fields.captions).toEqual(["x"]);
  });

  test("over which nothing comes for long is given up", async () => {
    const reply = transport.request("hello", {}).catch((error: Error) => error.message);
    await latest().open();
    await vi.advanceTimersByTimeAsync(10_000);
    latest().say({ type: "alive" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(heard.gone).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(heard.gone).toHaveBeenCalled();
    expect(await reply).toContain("cannot be reached");
  });

  test("tells of more examples and of progress", async () => {
    const onProgress = vi.fn();
    transport
      .request("atlas", { kinds: [], first: null, metric: "l2" }, { onProgress })
      .catch(() => undefined);
    await latest().open();
    latest().say({ type: "progress", id: 1, done: 2, total: 5, text: "examples run" });
    expect(onProgress).toHaveBeenCalledWith({ done: 2, total: 5, text: "examples run" });
    latest().say({ type: "changed" });
    expect(heard.changed).toHaveBeenCalledTimes(1);
  });
});
