import { expect, test } from "vitest";
import { describeStage } from "../../src/words/stage";

test("a stage is described in plain words", () => {
  const stage = { kind: "result", layer: 1, head: 3, position: "S3" };
  expect(describeStage(stage)).toBe("what head 3 of layer 1 wrote, at S3");
});
