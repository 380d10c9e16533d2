import { expect, test } from "vitest";
import { components } from "../../../src/compute/components";
import { l2 } from "../../../src/compute/distances";
import type { Left } from "../../../src/data/left";
import { NeedsKernel, Recorded } from "../../../src/source/page/recorded";
import { aborted } from "../../../src/source/source";
import { WireSource } from "../../../src/source/wire/wire";
import replies from "../../replies.json";

const STAGE = "L0.attn_out@b";
const WHOLE = { stage: STAGE, without: [], metric: "l2" as const };
const LEFT = { stage: STAGE, without: ["even"], metric: "l2" as const };

/** What Python answered, less what a page works out itself. */
function source(): WireSource {
  const arrays: string[] = [];
  const saved = replies
    .filter(({ request }) => request.what !== "distances")
    .filter(({ request }) => !(request.what === "matrix" && request.without?.length))
    .filter(({ request }) => !(request.what === "matrix" && request.metric !== "l2"))
    .map(({ request, fields, buffers }) => {
      // A page has these of its own stages, whatever kinds are asked for.
      const kept = ["second_parts", "swap_tests"].includes(request.what)
        ? { what: request.what, ...(request.what === "second_parts" && { metric: "l2" }) }
        : request;
      // What is said of metrics is of the examples before one was typed.
      const recorded = { stages: [], clusters: [], traces: [], measured_on: 40 };
      const said = request.what === "hello" ? { ...fields, recorded } : fields;
      return { request: kept, fields: said, buffers: buffers.map((text) => arrays.push(text) - 1) };
    });
  const read = async (place: number) =>
    Uint8Array.from(atob(arrays[place] ?? ""), (letter) => letter.charCodeAt(0));
  return new WireSource(new Recorded(saved, read), 2 ** 20);
}

function floatsOf(what: string, left: Left): Float32Array {
  const found = replies.find(
    ({ request }) =>
      request.what === what &&
      request.stage === left.stage &&
      request.metric === left.metric &&
      request.without?.join() === left.without.join(),
  );
  const bytes = Uint8Array.from(atob(found?.buffers[0] ?? ""), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

test("what was saved is answered", async () => {
  const page = source();
  expect((await page.contents()).n).toBe(40);
  expect((await page.labels()).length).toBe(40);
  expect((await page.concepts(["first"]))[0]?.name).toBe("first");
  expect((await page.swapTest(STAGE, null, "l2")).possible).toBe(true);
  await page.prepare();
});

test("atlas, second parts and known tests are of what the page has", async () => {
  const page = source();
  expect((await page.atlas(["embed"], 1000, "cosine")).stages.size).toBeGreaterThan(0);
  expect((await page.secondParts(["anything"], "l2")).size).toBeGreaterThan(0);
  expect((await page.swapTests(["anything"], "l2")).known.size).toBeGreaterThan(0);
});

test("what is left of a stage is worked out as Python does", async () => {
  const { values } = await source().matrix(LEFT);
  const expected = floatsOf("matrix", LEFT);
  expect(values.length).toBe(expected.length);
  values.forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i] as number, 5);
  });
});

test("distances are worked out as Python does", async () => {
  const { values, vector } = await source().distances(WHOLE, 3);
  const expected = floatsOf("distances", WHOLE);
  expect(values[3]).toBe(0);
  expect(vector.length).toBe(8);
  values.forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i] as number, 6);
  });
});

test("what is left has components of its own", async () => {
  const page = source();
  const whole = await page.parts({ stage: "embed@a", without: [], metric: "l2" });
  const left = await page.parts({ stage: "embed@a", without: ["even"], metric: "l2" });
  expect(left.parts).toEqual(whole.parts);
  const { values, d } = await page.matrix({ stage: "embed@a", without: ["even"], metric: "l2" });
  expect(left.components).toEqual(components(values, d, 3));
});

test.each([
  ["a swap", (page: WireSource) => page.swap(STAGE, 1, 2, false)],
  ["a lens", (page: WireSource) => page.lens("embed@a", 0, 5, "l2")],
  ["a test of more pairs", (page: WireSource) => page.swapTest(STAGE, 4000, "l2")],
  ["a trace", (page: WireSource) => page.trace(9, "next")],
  ["a typed example", (page: WireSource) => page.find("9 9 9")],
  ["clusters of what is left", (page: WireSource) => page.clusters(LEFT)],
  ["a concept of a component", (page: WireSource) => page.conceptOf(LEFT, 0)],
  ["a stage", (page: WireSource) => page.matrix({ stage: "embed@b", without: [], metric: "l2" })],
])("%s needs a kernel, and it is said so", async (_, ask) => {
  await expect(ask(source())).rejects.toThrow(NeedsKernel);
  await expect(ask(source())).rejects.toThrow("open the exploration in a notebook");
});

test("a concept that is not there cannot be set aside", async () => {
  await expect(source().matrix({ stage: STAGE, without: ["odd"], metric: "l2" })).rejects.toThrow(
    "with odd",
  );
});

test("a call that was taken back is not answered", async () => {
  const controller = new AbortController();
  const asked = source().matrix(WHOLE, { signal: controller.signal });
  controller.abort();
  await expect(asked).rejects.toSatisfy(aborted);
});

test.each(["cosine", "standardized", "whitened"] as const)(
  "a stage by %s is worked out as Python does",
  async (metric) => {
    for (const without of [[], ["even"]]) {
      const left = { stage: "embed@a", without, metric };
      const { values, d } = await source().matrix(left);
      const expected = floatsOf("matrix", left);
      const width = expected.length / 41;
      // Whitened vectors are turned otherwise: what is left of them, too.
      const distances = l2(values, d, 3);
      l2(expected, width, 3).forEach((distance, i) => {
        expect(distances[i]).toBeCloseTo(distance, 4);
      });
    }
  },
);

test("distances by a metric are those of its vectors", async () => {
  const left = { stage: "embed@a", without: [], metric: "whitened" as const };
  const { values } = await source().distances(left, 3);
  floatsOf("distances", left).forEach((distance, i) => {
    expect(values[i]).toBeCloseTo(distance, 4);
  });
});
