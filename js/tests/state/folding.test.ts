import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { Contents } from "../../src/data/contents";
import { Folding } from "../../src/state/folding";

const layers = (count: number) =>
  signal({
    rows: Array.from({ length: count }, (_, layer) => ({ layer })),
  } as unknown as Contents);

test("a deep model is folded and a small one open until it is said otherwise", () => {
  const [small, deep] = [new Folding(layers(2)), new Folding(layers(30))];
  expect([...small.open.value]).toEqual([0, 1]);
  expect([...deep.open.value]).toEqual([]);
  deep.toggle(7);
  deep.toggle(3);
  expect(deep.unfolded.value).toEqual([3, 7]);
  deep.toggle(7);
  small.toggle(0);
  expect([deep.unfolded.value, small.unfolded.value]).toEqual([[3], [1]]);
  deep.all(true);
  expect(deep.open.value.size).toBe(30);
  deep.all(false);
  expect(deep.unfolded.value).toEqual([]);
});
