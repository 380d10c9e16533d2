/** One place in the model: kind, layer, head, position. Written `L1H3.result@S3`. */
export interface Stage {
  readonly kind: string;
  readonly layer: number | null;
  readonly head: number | null;
  readonly position: string;
}

const PATTERN = /^(?:L(\d+)(?:H(\d+))?\.)?([^.@]+)@(.+)$/s;

/** A name of someone's own, such as `sae/12@last`: it has a slash. */
const FREE = /^([^@]*\/[^@]*)@(.+)$/s;

export function parseStage(text: string): Stage | null {
  const free = FREE.exec(text);
  if (free)
    return { kind: free[1] as string, layer: null, head: null, position: free[2] as string };
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

/** Whether the vectors of this kind say how much a head looks at each position. */
export function looksAtPositions(kind: string): boolean {
  return kind === "pattern" || kind === "attn_scores";
}
