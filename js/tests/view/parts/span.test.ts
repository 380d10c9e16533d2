import { expect, test } from "vitest";
import { visible } from "../../../src/view/parts/span";

test("only what is in sight, and a little more, is made", () => {
  expect(visible(0, 100, 10, 1000)).toEqual([0, 13]);
  expect(visible(500, 100, 10, 1000)).toEqual([47, 63]);
  expect(visible(9950, 100, 10, 1000)).toEqual([992, 1000]);
});
