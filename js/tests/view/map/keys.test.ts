import { expect, test } from "vitest";
import { moveOf } from "../../../src/view/map/keys";
import { mapLines, NAME } from "../../../src/view/map/lines";

const row = (kind: string, layer: number | null) => ({ kind, layer, head: null, widths: [1, 1] });
const rows = [row("embed", null), row("z", 0), row("mlp_out", 0), row("z", 1)];
/** embed, layer 0 open, z, mlp_out, layer 1 folded. */
const lines = mapLines(rows, null, (layer) => layer === 0);

const move = (key: string, line: number, column: number) => moveOf(key, { line, column }, lines, 2);
const to = (line: number, column: number) => ({ to: { line, column } });

test("arrows walk the cells and stop at the edges", () => {
  expect(move("ArrowRight", 2, 0)).toEqual(to(2, 1));
  expect(move("ArrowRight", 2, 1)).toEqual(to(2, 1));
  expect(move("ArrowUp", 0, 1)).toEqual(to(0, 1));
  expect(move("ArrowDown", 4, 1)).toEqual(to(4, 1));
  expect(move("ArrowRight", 4, 0)).toEqual(to(4, 1));
  expect(move("Home", 4, 1)).toEqual(to(4, NAME));
  expect(move("End", 4, NAME)).toEqual(to(4, 1));
});

test("at a layer's name, right unfolds or enters, and left folds", () => {
  expect(move("ArrowRight", 4, NAME)).toEqual({ toggle: 1 });
  expect(move("ArrowRight", 1, NAME)).toEqual(to(2, NAME));
  expect(move("ArrowLeft", 1, NAME)).toEqual({ toggle: 0 });
  expect(move("ArrowLeft", 4, NAME)).toEqual(to(4, NAME));
});

test("left of the cells is the line's name, and left of that its layer's", () => {
  expect(move("ArrowLeft", 3, 0)).toEqual(to(3, NAME));
  expect(move("ArrowLeft", 3, NAME)).toEqual(to(1, NAME));
  expect(move("ArrowLeft", 0, NAME)).toEqual(to(0, NAME));
  expect(move("Tab", 0, 0)).toBeNull();
});
