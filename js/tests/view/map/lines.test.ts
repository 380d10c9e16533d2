import { describe, expect, test } from "vitest";
import { partsOf, partsVary } from "../src/example";
import type { Contents, Tokens } from "../src/source/source";
import { layerIsOpen, mapLines } from "../src/view/maprows";
import { visible } from "../src/view/span";

describe("the lines of the stage map", () => {
  const row = (kind: string, layer: number | null, head: number | null = null) => ({
    kind,
    layer,
    head,
    widths: [1],
  });
  const rows = [
    row("embed", null),
    row("z", 0, 0),
    row("z", 0, 1),
    row("mlp_out", 0),
    row("z", 1, 0),
    row("logits", null),
  ];

  test("have a heading for each layer, and name a kind once", () => {
    const lines = mapLines(rows, null, () => true);
    expect(
      lines.map((line) =>
        line.type === "layer" ? line.layer : `${line.firstOfKind ? "" : "…"}${line.row.kind}`,
      ),
    ).toEqual(["embed", 0, "z", "…z", "mlp_out", 1, "z", "logits"]);
  });

  test("leave out other kinds, and what is in a closed layer", () => {
    const lines = mapLines(rows, new Set(["z", "logits"]), (layer) => layer === 1);
    expect(lines.map((line) => (line.type === "layer" ? line.layer : line.row.kind))).toEqual([
      0,
      1,
      "z",
      "logits",
    ]);
  });

  test("are folded in a deep model but for the layer of the stage", () => {
    const open = (layer: number) => layerIsOpen(layer, 30, new Map([[7, true]]), 12);
    expect([0, 7, 12].map(open)).toEqual([false, true, true]);
    expect(layerIsOpen(0, 2, new Map(), null)).toBe(true);
  });
});

test("only what is in sight, and a little more, is made", () => {
  expect(visible(0, 100, 10, 1000)).toEqual([0, 13]);
  expect(visible(500, 100, 10, 1000)).toEqual([47, 63]);
  expect(visible(9950, 100, 10, 1000)).toEqual([992, 1000]);
});

test("an example reads as its tokens, and the answer after them", () => {
  const contents = {
    positions: ["L0", "=", "S1"],
    answers: [
      { name: "S1", position: "=" },
      { name: "S0", position: "S1" },
    ],
  } as unknown as Contents;
  const tokens: Tokens = {
    ids: Uint8Array.of(7, 11, 0, 9, 11, 0),
    positions: 3,
    vocabulary: { 0: "0", 3: "3", 7: "7", 9: "9", 11: "=" },
    answers: [Uint8Array.of(0, 0), Uint8Array.of(7, 3)],
  };
  expect(partsOf(contents, tokens, 1).map(({ name, text }) => `${name}:${text}`)).toEqual([
    "L0:9",
    "=:=",
    "S1:0",
    "S0:3",
  ]);
  expect(partsVary(contents, tokens)).toEqual([true, false, false, true]);
});
