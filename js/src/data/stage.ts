/** One place in the model: kind, layer, head, position. Written `L1H3.result@S3`. */
export interface Stage {
  readonly kind: string;
  readonly layer: number | null;
  readonly head: number | null;
  readonly position: string;
}

const PATTERN = /^(?:L(\d+)(?:H(\d+))?\.)?([^.@]+)@(.+)$/s;

export function parseStage(text: string): Stage | null {
  const match = PATTERN.exec(text);
  if (!match) return null;
  const [, layer, head, kind, position] = match;
  return {
    kind: kind as string,
    layer: layer === undefined ? null : Number(layer),
    head: head === undefined ? null : Number(head),
    position: position as string,
  };
}

export function stageText({ kind, layer, head, position }: Stage): string {
  const place = layer === null ? "" : `L${layer}${head === null ? "" : `H${head}`}.`;
  return `${place}${kind}@${position}`;
}

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

/** What is held at a stage, in plain words. */
export function describeStage(stage: Stage): string {
  const meaning = MEANINGS[stage.kind] ?? stage.kind;
  return meaning
    .replace("{layer}", String(stage.layer))
    .replace("{head}", String(stage.head))
    .concat(`, at ${stage.position}`);
}

/** Whether the vectors of this kind say how much a head looks at each position. */
export function looksAtPositions(kind: string): boolean {
  return kind === "pattern" || kind === "attn_scores";
}
