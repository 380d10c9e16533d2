import type { Left } from "../data/left";
import type { Stage } from "../data/stage";

const MEANINGS: Readonly<Record<string, string>> = {
  embed: "the token itself, before any layer",
  resid_pre: "what layer {layer} is given",
  q: "what head {head} of layer {layer} asks for",
  k: "what head {head} of layer {layer} can be found by",
  v: "what head {head} of layer {layer} can pass on",
  attn_scores: "how strongly head {head} of layer {layer} is drawn to each position",
  pattern: "where head {head} of layer {layer} looks",
  z: "what head {head} of layer {layer} gathered",
  result: "what head {head} of layer {layer} wrote",
  attn_out: "what all heads of layer {layer} wrote together",
  resid_mid: "everything so far, after the heads of layer {layer}",
  mlp_pre: "what the neurons of layer {layer} are given",
  mlp_post: "how strongly the neurons of layer {layer} fire",
  mlp_out: "what the neurons of layer {layer} wrote",
  resid_post: "everything so far, after layer {layer}",
  ln_final: "the final state, normalized",
  logits: "the scores of the possible next tokens",
};

/** A stage's name, and what is set aside there. */
export function leftName({ stage, without }: Left): string {
  return without.length > 0 ? `${stage} without ${without.join(", ")}` : stage;
}

/** What is held at a stage, in plain words. */
export function describeStage(stage: Stage): string {
  const meaning = MEANINGS[stage.kind] ?? stage.kind;
  return meaning
    .replace("{layer}", String(stage.layer))
    .replace("{head}", String(stage.head))
    .concat(`, at ${stage.position}`);
}
