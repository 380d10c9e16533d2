import { describe, expect, test } from "vitest";
import { mapLines } from "../../../src/view/map/lines";

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

  test("have a folded layer's rows in one line, and the strongest kinds first in the others", () => {
    const lines = mapLines(
      rows,
      null,
      (layer) => layer === 0,
      (ofLayer) => [...ofLayer].reverse(),
    );
    const said = lines.map((line) =>
      line.type === "layer" ? line.rows.length : `${line.row.kind}${line.row.head ?? ""}`,
    );
    expect(said).toEqual(["embed", 0, "mlp_out", "z1", "z0", 1, "logits"]);
  });
});
