import { describe, expect, test } from "vitest";
import { chanceOfAtLeast, corrected } from "../../src/compute/chance";

describe("the chance of at least so many", () => {
  test("is that of a hand-worked case", () => {
    // 3 drawn of 10, 4 of them hits: at least 2 hits in (6·6 + 4) of 120 ways.
    expect(chanceOfAtLeast(2, 10, 4, 3)).toBeCloseTo(40 / 120, 12);
    expect(chanceOfAtLeast(0, 10, 4, 3)).toBe(1);
    expect(chanceOfAtLeast(4, 10, 4, 3)).toBe(0);
    expect(chanceOfAtLeast(1, 10, 4, 3)).toBeCloseTo(1 - 20 / 120, 12);
  });

  test("of something is that of the rest, counted from the other side", () => {
    const [others, alike, drawn] = [100_000, 10_000, 500];
    for (const hits of [30, 50, 51, 70, 200]) {
      const missed = chanceOfAtLeast(drawn - hits + 1, others, others - alike, drawn);
      expect(chanceOfAtLeast(hits, others, alike, drawn) + missed).toBeCloseTo(1, 9);
    }
  });

  test("is corrected after Benjamini and Hochberg", () => {
    const found = corrected([0.01, 0.04, 0.03, 0.5]);
    [0.04, 0.16 / 3, 0.16 / 3, 0.5].forEach((expected, i) => {
      expect(found[i]).toBeCloseTo(expected, 12);
    });
  });
});
