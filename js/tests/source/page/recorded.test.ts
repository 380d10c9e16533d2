import { expect, test } from "vitest";
import { components } from "../../../src/compute/components";
import { NeedsKernel, Recorded } from "../../../src/source/page/recorded";
import { aborted } from "../../../src/source/source";
import { WireSource } from "../../../src/source/wire/wire";
import replies from "../../replies.json";

const STAGE = "L0.attn_out@b";
const WHOLE = { stage: STAGE, without: [] };
const LEFT = { stage: STAGE, without: ["even"] };

/** What Python answered, less what a page works out itself. */
function source(): WireSource {
  const arrays: string[] = [];
  const saved = replies
    .filter(({ request }) => request.what !== "distances")
    .filter(({ request }) => !(request.what === "matrix" && request.without?.length))
    .map(({ request, fields, buffers }) => {
      // A page has these of its own stages, whatever kinds are asked for.
      const kept = ["second_parts", "swap_tests"].includes(request.what)
        ? { what: request.what }
        : request;
      return { request: kept, fields, buffers: buffers.map((text) => arrays.push(text) - 1) };
    });
  const read = async (place: number) =>
    Uint8Array.from(atob(arrays[place] ?? ""), (letter) => letter.charCodeAt(0));
  return new WireSource(new Recorded(saved, read), 2 ** 20);
}

function floatsOf(what: string, without: string[]): Float32Array {
  const found = replies.find(
    ({ request }) => request.what === what && request.without?.join() === without.join(),
  );
  const bytes = Uint8Array.from(atob(found?.buffers[0] ?? ""), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

test("what was saved is answered", async () => {
  const page = source();
  expect((await page.contents()).n).toBe(40);
  expect((await page.labels()).length).toBe(40);
  expect((await page.concepts(["first"]))[0]?.name).toBe("first");
  expect((await page.swapTest(STAGE, null)).possible).toBe(true);
  await page.prepare();
});

test("atlas, second parts and known tests are of what the page has", async () => {
  const page = source();
  expect((await page.atlas(["embed"], 1000)).stages.size).toBeGreaterThan(0);
  expect((await page.secondParts(["anything"])).size).toBeGreaterThan(0);
  expect((await page.swapTests(["anything"])).known.size).toBeGreaterThan(0);
});

test("what is left of a stage is worked out as Python does", async () => {
  const { values } = await source().matrix(LEFT);
  const expected = floatsOf("matrix", ["even"]);
  expect(values.length).toBe(expected.length);
  values.forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i] as number, 5);
  });
});

test("distances are worked out as Python does", async () => {
  const { values, vector } = await source().distances(WHOLE, 3);
  const expected = floatsOf("distances", []);
  expect(values[3]).toBe(0);
  expect(vector.length).toBe(8);
  values.forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i] as number, 6);
  });
});

test("what is left has components of its own", async () => {
  const page = source();
  const whole = await page.parts({ stage: "embed@a", without: [] });
  const left = await page.parts({ stage: "embed@a", without: ["even"] });
  expect(left.parts).toEqual(whole.parts);
  const { values, d } = await page.matrix({ stage: "embed@a", without: ["even"] });
  expect(left.components).toEqual(components(values, d, 3));
});

test.each([
  ["a swap", (page: WireSource) => page.swap(STAGE, 1, 2, false)],
  ["a lens", (page: WireSource) => page.lens("embed@a", 0, 5)],
  ["a test of more pairs", (page: WireSource) => page.swapTest(STAGE, 4000)],
  ["a trace", (page: WireSource) => page.trace(9, "next")],
  ["a typed example", (page: WireSource) => page.find("9 9 9")],
  ["clusters of what is left", (page: WireSource) => page.clusters(LEFT)],
  ["a concept of a component", (page: WireSource) => page.conceptOf(LEFT, 0)],
  ["a stage", (page: WireSource) => page.matrix({ stage: "embed@b", without: [] })],
])("%s needs a kernel, and it is said so", async (_, ask) => {
  await expect(ask(source())).rejects.toThrow(NeedsKernel);
  await expect(ask(source())).rejects.toThrow("open the exploration in a notebook");
});

test("a concept that is not there cannot be set aside", async () => {
  await expect(source().matrix({ stage: STAGE, without: ["odd"] })).rejects.toThrow("with odd");
});

test("a call that was taken back is not answered", async () => {
  const controller = new AbortController();
  const asked = source().matrix(WHOLE, { signal: controller.signal });
  controller.abort();
  await expect(asked).rejects.toSatisfy(aborted);
});
