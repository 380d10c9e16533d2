import type { Contents } from "./contents";
import type { Unusual } from "./swap";

/** A stage that an answer may have come through. */
export interface TraceNode {
  readonly stage: string;
  /** The answer's probability with this stage alone replaced; null for the answer itself. */
  readonly probability: number | null;
  /** What the answer loses then, in nats. */
  readonly loss: number | null;
  readonly kept: boolean;
}

export type EdgeKind =
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
  readonly kind: EdgeKind;
  /** How much the head looks there, for attention. */
  readonly attention: number | null;
  /** The answer's probability with this edge alone cut; null where without it there is no answer. */
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
  /** Probability of that answer in the whole model, and with all edges cut that are not kept. */
  readonly probability: number;
  readonly keptProbability: number;
  /** Distance of the activations to the nearest reference activation then, over its usual size. */
  readonly unusual: Unusual | null;
  readonly nodes: readonly TraceNode[];
  readonly edges: readonly TraceEdge[];
}

/** An answer that can be traced. */
export interface Traceable {
  readonly name: string;
  /** What it is called on screen. */
  readonly title: string;
}

/** What follows the last position: asked for where the examples name no answers. */
const NEXT: Traceable = { name: "next", title: "next" };

/** The answers that there are tabs for. */
export function traceables({ hasModel, answers }: Contents): readonly Traceable[] {
  if (!hasModel) return [];
  return answers.length === 0
    ? [NEXT]
    : answers.map(({ name, title }) => ({ name, title: title || name }));
}
