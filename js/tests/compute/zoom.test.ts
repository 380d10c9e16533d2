import { expect, test } from "vitest";
import { enlarged, mostScale, moved, showing, WHOLE, within } from "../../src/compute/zoom";
import { wrap } from "../../src/view/grid/celllabels";

test("what is under the pointer stays there", () => {
  const before = enlarged(WHOLE, 3, 10, 0.25, 0.75);
  const after = enlarged(before, 1.7, 10, 0.25, 0.75);
  const under = ({ scale, x, y }: typeof before) => [x + 0.25 / scale, y + 0.75 / scale];
  expect(under(after)[0]).toBeCloseTo(under(before)[0] as number, 12);
  expect(under(after)[1]).toBeCloseTo(under(before)[1] as number, 12);
  expect(after.scale).toBeCloseTo(5.1, 12);
});

test("it ends at the whole and at the most", () => {
  expect(enlarged({ scale: 2, x: 0.5, y: 0.2 }, 0.1, 10)).toEqual(WHOLE);
  expect(enlarged(WHOLE, 100, 8).scale).toBe(8);
  expect(within({ scale: 4, x: 2, y: -1 })).toEqual({ scale: 4, x: 0.75, y: 0 });
  expect(moved({ scale: 2, x: 0.1, y: 0.1 }, -1, 0.4)).toEqual({ scale: 2, x: 0, y: 0.1 + 0.2 });
});

test("a cell out of sight is brought in, one in sight moves nothing", () => {
  const zoom = { scale: 4, x: 0.25, y: 0.25 };
  expect(showing(zoom, { x: 0.4, y: 0.4, width: 0.1, height: 0.1 })).toEqual(zoom);
  const right = showing(zoom, { x: 1.2, y: -0.4, width: 0.2, height: 0.2 });
  expect(right.x).toBeCloseTo(0.25 + 0.4 / 4, 12);
  expect(right.y).toBeCloseTo(0.25 - 0.4 / 4, 12);
});

test("cells grow until a label fits in, shared ones into cells of their own", () => {
  const lattice = { cellWidth: 2, cellHeight: 3, perCell: 1 } as Parameters<typeof mostScale>[0];
  expect(mostScale(lattice, 2)).toBe(130);
  expect(mostScale({ ...lattice, perCell: 4 }, 2)).toBe(260);
  expect(mostScale({ ...lattice, cellWidth: 400, cellHeight: 400 }, 1)).toBe(1);
});

test("a label is written in lines, and cut where it is too long", () => {
  expect(wrap("1234+5678=06912", 15, 1)).toEqual(["1234+5678=06912"]);
  expect(wrap("1234+5678=06912", 8, 2)).toEqual(["1234+567", "8=06912"]);
  expect(wrap("1234+5678=06912", 6, 2)).toEqual(["1234+5", "678=0…"]);
  expect(wrap("😀😀😀", 2, 1)).toEqual(["😀…"]);
});
