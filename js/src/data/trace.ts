/** A stage that an answer may have come through. */
export interface TraceNode {
  readonly stage: string;
  /** The answer's probability with this stage alone replaced; null for the answer itself. */
  readonly probability: number | null;
  /** What the answer loses then, in nats. */
  readonly loss: number | null;
  readonly kept: boolean;
}

export type LinkKind =
  | "attention"
  | "head"
  | "attention out"
  | "mlp in"
  | "mlp out"
  | "residual"
  | "answer";

/** What one stage hands to a later one. */
export interface TraceEdge {
  readonly source: string;
  readonly target: string;
  readonly kind: LinkKind;
  /** How much the head looks there, for attention. */
  readonly attention: number | null;
  /** The answer's probability with this link alone cut; null where without it there is no answer. */
  readonly probability: number | null;
  /** What the answer loses then, in nats. */
  readonly loss: number | null;
  readonly kept: boolean;
}

/** The stages that one answer to one example came through. */
export interface Trace {
  /** The example it is about. */
  readonly row: number;
  /** Name of the answer. */
  readonly answer: string;
  readonly possible: boolean;
  /** Why it is not, in words. */
  readonly reason: string;
  /** What the model answers. */
  readonly text: string;
  /** Of that, with nothing cut and with all links cut that are not kept. */
  readonly probability: number;
  readonly keptProbability: number;
  /** How far the activations are then from any seen, 1 for as far as usual. */
  readonly unusual: number | null;
  readonly nodes: readonly TraceNode[];
  readonly edges: readonly TraceEdge[];
}
