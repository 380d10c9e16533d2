import { expect, test } from "vitest";
import { stopsOf } from "../../src/words/tour";

const ALL = { concepts: true, model: true, byDistance: true, near: true };

test("the tour tells of colors, bars and typing only where they are there", () => {
  const words = (shown: Partial<typeof ALL>) =>
    stopsOf({ ...ALL, ...shown })
      .map(({ text }) => text)
      .join(" ");
  expect(words({})).toContain("color is that of the concept");
  expect(words({})).toContain("the brighter");
  expect(words({ concepts: false })).not.toMatch(/concept/);
  expect(words({ byDistance: false })).not.toContain("brighter");
  expect(words({ model: false })).not.toContain("Type an example");
  expect(words({ near: false })).not.toContain("bars");
  expect(stopsOf(ALL).length).toBeLessThanOrEqual(7);
});
