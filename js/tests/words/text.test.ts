import { expect, test } from "vitest";
import {
  chanceText,
  contributionText,
  countText,
  distanceText,
  percentText,
  valueText,
  visibleToken,
} from "../../src/words/text";

test.each([
  [0, "0"],
  [0.03142, "0.031"],
  [0.000214, "0.00021"],
  [0.31416, "0.314"],
  [1.23456, "1.235"],
  [12.3456, "12.35"],
  [1234.56, "1235"],
  [0.000012, "1.20e-5"],
])("distance %d is written %s", (distance, text) => {
  expect(distanceText(distance)).toBe(text);
});

test("counts have commas", () => {
  expect([7, 1000, 1234567].map(countText)).toEqual(["7", "1,000", "1,234,567"]);
});

test("spaces of tokens are seen", () => {
  expect(visibleToken(" Paris\n")).toBe("·Paris↵");
});

test("only all is 100% and only none 0%", () => {
  const shares = [0, 0.001, 0.006, 0.5, 0.996, 1];
  expect(shares.map(percentText)).toEqual(["0%", "<1%", "1%", "50%", ">99%", "100%"]);
});

test("chances have the digits that matter", () => {
  expect([0.5, 0.0123, 2e-5, 1e-30].map(chanceText)).toEqual([
    "0.50",
    "0.012",
    "2e-5",
    "less than 1 in a billion",
  ]);
});

test("contributions have a sign", () => {
  expect([1.5, -0.25].map(contributionText)).toEqual(["+1.500", "−0.250"]);
});

test("a value of many digits is cut, and what is no number is not", () => {
  expect(
    ["0.2478963489427767", "27.006536073435257", "2020-01-01", "7", "1234567.5", "", undefined].map(
      valueText,
    ),
  ).toEqual(["0.2479", "27.01", "2020-01-01", "7", "1235000", "", ""]);
});
