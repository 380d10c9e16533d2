import { describe, expect, test } from "vitest";
import { layerIsOpen, mapLines } from "../../../src/view/map/lines";

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
