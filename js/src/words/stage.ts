import type { Left } from "../data/left";
import type { Stage } from "../data/stage";
import { countText } from "./text";

const MEANINGS: Readonly<Record<string, string>> = {
  embed: "the token itself, before any layer",
  resid_pre: "everything so far, as layer {layer} is given it",
  q: "what head {head} of layer {layer} looks for (its query)",
  k: "what head {head} of layer {layer} can find here (its key)",
  v: "what head {head} of layer {layer} would pass on from here (its value)",
  attn_scores: "how strongly head {head} of layer {layer} is drawn to each position",
  pattern: "how much head {head} of layer {layer} looks at each position",
  z: "what head {head} of layer {layer} gathered from where it looked",
  result: "what head {head} of layer {layer} adds",
  attn_out: "what all heads of layer {layer} add together",
  resid_mid: "everything so far, after the heads of layer {layer}",
  mlp_pre: "what the neurons of layer {layer} are given",
  mlp_post: "how strongly the neurons of layer {layer} fire",
  mlp_out: "what the neurons of layer {layer} add",
  resid_post: "everything so far, after layer {layer}",
  ln_final: "everything at the end, scaled to be read",
  logits: "the scores of all possible next tokens",
};

/** A stage's name, what is set aside there, and by which metric it is seen. */
export function leftName({ stage, without, metric }: Left): string {
  const left = without.length > 0 ? `${stage} without ${without.join(", ")}` : stage;
  return metric === "l2" ? left : `${left} (${metric})`;
}

/** What is held at a stage, in plain words. */
export function describeStage(stage: Stage): string {
  const meaning = MEANINGS[stage.kind] ?? stage.kind;
  return meaning
    .replace("{layer}", String(stage.layer))
    .replace("{head}", String(stage.head))
    .concat(`, at ${stage.position}`);
}

/** What a folded layer's cell stands for. */
export function foldedText(of: number): string {
  return `the most explained of ${countText(of)} stages of its layer here`;
}
