import { expect, test } from "vitest";
import { bytesOfText, Damaged, inOrder, unpacked, widened } from "../../../src/source/page/arrays";

async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const TEXT = new TextEncoder().encode("all the same, all the same, all the same");
const PACKED = await gzipped(TEXT);
const LISTED = {
  raw: TEXT.length,
  crc: new DataView(PACKED.buffer).getUint32(PACKED.length - 8, true),
};

test("what was packed is unpacked", async () => {
  expect(await unpacked(PACKED, LISTED)).toEqual(TEXT);
});

test.each([
  ["cut", PACKED.slice(0, -5), LISTED],
  ["cut to nothing", PACKED.slice(0, 3), LISTED],
  ["changed", PACKED.map((byte, i) => (i === 20 ? byte ^ 1 : byte)), LISTED],
  [
    "changed at its end",
    PACKED.map((byte, i) => (i === PACKED.length - 2 ? byte ^ 1 : byte)),
    LISTED,
  ],
  ["another", await gzipped(new Uint8Array(TEXT.length)), LISTED],
])("what is %s is found out", async (_, packed, listed) => {
  await expect(unpacked(packed, listed)).rejects.toBeInstanceOf(Damaged);
});

test("bytes that were sorted by their place are put together again", () => {
  expect(Array.from(inOrder(Uint8Array.of(1, 3, 5, 2, 4, 6), 2))).toEqual([1, 2, 3, 4, 5, 6]);
  const one = Uint8Array.of(1, 2);
  expect(inOrder(one, 1)).toBe(one);
});

test("float16 numbers become float32 ones", () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001, 0x8000, 0x7bff, 0x7c00);
  const floats = new Float32Array(widened(new Uint8Array(halves.buffer)).buffer);
  expect(Array.from(floats)).toEqual([1, -2, 0.333251953125, 2 ** -24, -0, 65504, Infinity]);
});

test("a text stands for bytes", () => {
  expect(Array.from(bytesOfText("AAH/"))).toEqual([0, 1, 255]);
});
