import { expect, test } from "vitest";
import { chosenMask, chosenText, examplesIn } from "../../src/compute/chosen";
import { cloudOf, pointAt, pointSize, pointsWithin, stepInCloud } from "../../src/compute/cloud";
import { paintCloud } from "../../src/compute/cloudpaint";
import { plane } from "../../src/compute/components";
import vectors from "../vectors.json";

const GROUND = 0xff202020;

/** A generator of numbers from 0 to 1 that are the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

function scattered(n: number): Float32Array {
  const next = random(7);
  return Float32Array.from({ length: 2 * n }, () => 10 * next() - 3);
}

const sightOf = (points: Float32Array, scale = 1, x = 0, y = 0) => {
  const cloud = cloudOf(points, 300, 200, 1);
  return { cloud, scale, x, y, size: pointSize(cloud, scale, 1, 1) };
};

test("both axes have one scale, up is up, and all points are on the canvas", () => {
  const { xs, ys } = cloudOf(Float32Array.of(0, 0, 4, 0, 0, 1), 300, 200, 1);
  expect((xs[1] as number) - (xs[0] as number)).toBeCloseTo(
    4 * ((ys[0] as number) - (ys[2] as number)),
    3,
  );
  for (const points of [scattered(500), new Float32Array(20)]) {
    const cloud = cloudOf(points, 300, 200, 2);
    expect(Math.min(...cloud.xs, ...cloud.ys)).toBeGreaterThan(0);
    expect(Math.max(...cloud.xs)).toBeLessThan(300);
    expect(Math.max(...cloud.ys)).toBeLessThan(200);
  }
});

test("the point under the pointer is the nearest of all, enlarged or not", () => {
  const points = scattered(800);
  const next = random(3);
  for (const [scale, x, y] of [
    [1, 0, 0],
    [6, 80.5, 60.25],
  ] as const) {
    const sight = sightOf(points, scale, x, y);
    const { xs, ys } = sight.cloud;
    for (let i = 0; i < 200; i++) {
      const [atX, atY] = [300 * next(), 200 * next()];
      const apart = Array.from(xs, (px, e) =>
        Math.hypot((px - x) * scale - atX, ((ys[e] as number) - y) * scale - atY),
      );
      const nearest = apart.indexOf(Math.min(...apart));
      const reach = Math.max(6, sight.size / 2 + 1);
      const expected = (apart[nearest] as number) < reach ? nearest : null;
      expect(pointAt(sight, atX, atY, 1)).toBe(expected);
    }
  }
});

test("an arrow key goes to the nearest point that lies rather ahead than aside", () => {
  // In the middle; right, nearer but aside; right; left; above; at the same place.
  const xs = Float32Array.of(50, 52, 60, 30, 50, 50);
  const ys = Float32Array.of(50, 56, 51, 50, 20, 50);
  const step = (dx: number, dy: number, from = 0) => stepInCloud({ xs, ys }, from, dx, dy, 0.5);
  expect(step(1, 0)).toBe(2);
  expect(step(-1, 0)).toBe(3);
  expect(step(0, -1)).toBe(4);
  expect(step(0, 1)).toBe(1);
  expect(step(1, 0, 2)).toBe(2);
  // Nothing lies below 3 but far aside.
  expect(step(0, 1, 3)).toBe(1);
});

test("a lasso holds what is inside of it, also where it bends inwards", () => {
  const corners = [0, 0, 100, 0, 100, 100, 50, 20, 0, 100];
  const inside = [
    [10, 10, true],
    [50, 10, true],
    [50, 60, false],
    [90, 60, true],
    [10, 60, true],
    [120, 10, false],
    [50, -1, false],
  ] as const;
  const [xs, ys] = [0, 1].map((at) => Float32Array.from(inside, (point) => Number(point[at])));
  const found = pointsWithin({ xs: xs as Float32Array, ys: ys as Float32Array }, corners);
  expect([...found]).toEqual(inside.flatMap(([, , within], i) => (within ? [i] : [])));
});

test("near examples are painted over far ones, and those that are faded under all", () => {
  // Three examples at one place, and one far away.
  const points = Float32Array.of(0, 0, 0, 0, 0, 0, 9, 0);
  const sight = sightOf(points);
  const { xs, ys } = sight.cloud;
  const colors = {
    indexes: Uint8Array.of(0, 1, 2, 3),
    table: Uint32Array.of(0xff0000aa, 0xff0000bb, 0xff0000cc, 0xff0000dd),
    faded: Uint32Array.of(0x24ffffff, 0x24ffffff, 0x24ffffff, 0x24ffffff),
    mask: null,
  };
  const at = (e: number) => Math.round(ys[e] as number) * 300 + Math.round(xs[e] as number);
  const pixels = new Uint32Array(300 * 200);
  paintCloud(pixels, 300, sight, colors, Uint32Array.of(1, 0, 2, 3), GROUND);
  expect(pixels[at(0)]).toBe(0xff0000bb);
  expect(pixels[at(3)]).toBe(0xff0000dd);
  expect(pixels[0]).toBe(GROUND);
  const mask = Uint8Array.of(0, 0, 1, 0);
  paintCloud(pixels, 300, sight, { ...colors, mask }, Uint32Array.of(1, 0, 2, 3), GROUND);
  expect(pixels[at(0)]).toBe(0xff0000cc);
  expect(pixels[at(3)]).not.toBe(0xff0000dd);
  expect(pixels[at(3)]).not.toBe(GROUND);
});

test("where points are pixels, one is the stronger the more there are in it", () => {
  const n = 120_000;
  const points = new Float32Array(2 * n);
  // Half of all at one place, a few at another, one alone.
  points.fill(1, 0, n);
  points.fill(5, n, 2 * n - 2);
  points.set([9, 1], 2 * n - 2);
  const sight = sightOf(points);
  expect(sight.size).toBe(1);
  const colors = {
    indexes: new Uint8Array(n),
    table: Uint32Array.of(0xffffffff),
    faded: Uint32Array.of(0x24ffffff),
    mask: null,
  };
  const pixels = new Uint32Array(300 * 200);
  paintCloud(pixels, 300, sight, colors, null, 0xff000000);
  const { xs, ys } = sight.cloud;
  const red = (e: number) =>
    (pixels[Math.floor(ys[e] as number) * 300 + Math.floor(xs[e] as number)] as number) & 255;
  expect(red(0)).toBe(255);
  expect(red(n - 1)).toBeGreaterThan(100);
  expect(red(n - 1)).toBeLessThan(200);
});

test("the page lays a stage out as Python does", () => {
  for (const { matrix, d, points, shares } of vectors.planes) {
    const found = plane(Float32Array.from(matrix), d);
    found.shares.forEach((share, i) => {
      expect(share).toBeCloseTo(shares[i] as number, 6);
    });
    found.points.forEach((value, i) => {
      expect(value).toBeCloseTo(points[i] as number, 4);
    });
  }
});

test("chosen examples are written and read as in Python", () => {
  for (const { n, chosen, text } of vectors.chosen) {
    expect(chosenText(chosen)).toBe(text);
    const mask = chosenMask(text, n);
    expect(mask ? [...examplesIn(mask)] : []).toEqual(chosen);
  }
});
