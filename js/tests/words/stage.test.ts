import { expect, test } from "vitest";
import { describeStage, leftName } from "../../src/words/stage";

test("a stage is described in plain words", () => {
  const stage = { kind: "result", layer: 1, head: 3, position: "S3" };
  expect(describeStage(stage)).toBe("what head 3 of layer 1 adds, at S3");
});

test("a stage is named with what is set aside there", () => {
  expect(leftName({ stage: "embed@a", without: [], metric: "l2" })).toBe("embed@a");
  expect(leftName({ stage: "embed@a", without: ["L2", "R2"], metric: "l2" })).toBe(
    "embed@a without L2, R2",
  );
});
