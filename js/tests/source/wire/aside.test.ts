import { expect, test } from "vitest";
import type { Left } from "../../../src/data/left";
import type { What } from "../../../src/source/wire/messages";
import type { Reply, Transport } from "../../../src/source/wire/transport";
import { WireSource } from "../../../src/source/wire/wire";
import vectors from "../../vectors.json";

const [{ d, matrix, concepts, left: leftByPython }] = vectors.aside as [
  (typeof vectors.aside)[number],
];
const STAGE = "L0.resid_post@1";
const bytes = (values: Float32Array | Uint8Array) =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Answers as a kernel does, and notes what it was asked for. */
class Kernel implements Transport {
  readonly asked: What[] = [];

  request<W extends What>(what: W): Promise<Reply<W>> {
    this.asked.push(what);
    const partitions = concepts.map(({ name, values }) => ({ name, values, dtype: "uint8" }));
    const said = {
      matrix: { fields: { d, columns: null }, buffers: [bytes(Float32Array.from(matrix))] },
      partitions: {
        fields: { partitions, wide: 1, nested: 0.8, nearly_as_strong: 0.9, significant: 0.01 },
        buffers: [
          ...concepts.map(({ codes }) =>
            bytes(Uint8Array.from(codes, (code) => (code < 0 ? 255 : code))),
          ),
          bytes(new Float32Array(concepts.length ** 2)),
        ],
      },
    };
    return Promise.resolve(said[what as keyof typeof said] as unknown as Reply<W>);
  }
}

const without: Left = { stage: STAGE, without: concepts.map(({ name }) => name), metric: "l2" };

test("what is left of a stage that is here is worked out here", async () => {
  const kernel = new Kernel();
  const source = new WireSource(kernel, 2 ** 20);
  expect(source.held(without)).toBeUndefined();
  await source.partitions();
  await source.matrix({ stage: STAGE, without: [], metric: "l2" });
  const found = await source.matrix(without);
  expect(kernel.asked).toEqual(["partitions", "matrix"]);
  const apart = found.values.map((x, i) => Math.abs(x - (leftByPython[i] as number)));
  expect(Math.max(...apart)).toBeLessThan(3e-5);
  expect(source.held(without)).toBe(found);
});

test("the kernel is asked for what is not here, and for what it must refuse", async () => {
  const kernel = new Kernel();
  const source = new WireSource(kernel, 2 ** 20);
  await source.matrix({ stage: STAGE, without: [], metric: "l2" });
  await source.matrix(without);
  await source.partitions();
  await source.matrix({ stage: STAGE, without: ["nobody"], metric: "l2" });
  source.forget();
  expect(source.held(without)).toBeUndefined();
  expect(kernel.asked).toEqual(["matrix", "matrix", "partitions", "matrix"]);
});
