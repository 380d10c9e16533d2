import { expect, test } from "vitest";
import { describeConcept } from "../../src/words/concept";

const SAID = new Map([
  ["L2", "The hundreds of L."],
  ["R2", "The hundreds of R."],
  ["a = b", "Whether a is b."],
]);

test("a concept says what it means, and several what each of them does", () => {
  expect(describeConcept(SAID, "L2")).toBe("The hundreds of L.");
  expect(describeConcept(SAID, "L2 × R2")).toBe("L2: The hundreds of L.\nR2: The hundreds of R.");
  expect(describeConcept(SAID, "makes1 = L2")).toBe("L2: The hundreds of L.");
  expect(describeConcept(SAID, "a = b")).toBe("Whether a is b.");
});

test("a concept without a description says nothing, whatever it is called", () => {
  expect(describeConcept(SAID, "constructor")).toBe("");
  expect(describeConcept(undefined, "L2")).toBe("");
});
