import { expect, test } from "vitest";
import type { StageLook } from "../../../src/view/map/explained";
import { strongestFinder, strongestFirst } from "../../../src/view/map/strongest";

const row = (kind: string, head: number | null, widths: readonly number[]) => ({
  kind,
  layer: 3,
  head,
  widths,
});
const rows = [
  row("z", 0, [4, 4, 4]),
  row("z", 1, [4, 4, 4]),
  row("mlp_out", null, [8, 0, 8]),
  row("resid_post", null, [8, 8, 0]),
];
const positions = ["a", "b", "c"];
const strengths: Record<string, number> = { "L3H1.z@a": 0.5, "L3.mlp_out@c": 0.75 };
const look = (stage: string): StageLook => ({
  color: null,
  same: false,
  text: stage,
  strength: strengths[stage] ?? 0,
});

test("the most explained stage stands for its layer, and the last one where none is", () => {
  const find = strongestFinder(positions, look);
  const found = positions.map((_, at) => find(rows, at));
  expect(found.map((one) => [one?.stage, one?.of])).toEqual([
    ["L3H1.z@a", 4],
    ["L3.resid_post@b", 3],
    ["L3.mlp_out@c", 3],
  ]);
  expect(find([], 0)).toBeNull();
  expect(find(rows, 0)).toBe(found[0]);
});

test("the kinds that are explained most come first, their heads in order", () => {
  const order = strongestFirst(positions, look);
  expect(order(rows).map(({ kind, head }) => `${kind}${head ?? ""}`)).toEqual([
    "mlp_out",
    "z0",
    "z1",
    "resid_post",
  ]);
});
