import { expect, test } from "vitest";
import { parseStage, stageText } from "../../src/data/stage";

test.each([
  "L1H3.result@S3",
  "L0.attn_out@=",
  "L1.resid_post@12",
  "embed@L3",
  "logits@a.b@c",
  "sae/12@last",
  "sae/blocks.8/L1H2.z@=",
])("the address %s reads and prints the same", (address) => {
  const stage = parseStage(address);
  expect(stage && stageText(stage)).toBe(address);
});

test("what is no address is none", () => {
  expect(parseStage("L1H3.result")).toBeNull();
  expect(parseStage("")).toBeNull();
});
