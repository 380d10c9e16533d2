import { parseStage } from "../data/stage";
import type { EdgeKind, Trace, TraceEdge, TraceNode } from "../data/trace";
import { countText, percentText, visibleToken } from "./text";

const MEANINGS: Readonly<Record<Exclude<EdgeKind, "attention">, string>> = {
  head: "part of what all heads add together",
  "attention out": "what the heads add joins everything so far",
  "mlp in": "what the neurons are given",
  "mlp out": "what the neurons add joins everything so far",
  residual: "everything so far is carried on",
  answer: "the answer is read from everything so far",
};

/** What the answer loses without a stage of its trace. */
export function nodeText({ probability }: TraceNode, { text }: Trace): string {
  return probability === null
    ? `the answer itself: ${visibleToken(text)}`
    : `without it the answer's probability is ${percentText(probability)}`;
}

/** The same, with the answer's probability in the whole model. */
export function nodeNote(node: TraceNode, trace: Trace): string {
  const now = percentText(trace.probability);
  return `${nodeText(node, trace)}${node.probability === null ? `, ${now}` : ` (was ${now})`}`;
}

/** What the answer loses without an edge of its trace. */
export function edgeNote({ probability }: TraceEdge, trace: Trace): string {
  return probability === null
    ? "without it there is no answer"
    : `without it the answer's probability is ${percentText(probability)} (was ${percentText(trace.probability)})`;
}

/** What an edge passes on: a title, and what it means. */
export function edgeMeaning(edge: TraceEdge): readonly [title: string, meaning: string] {
  const { source, target, kind } = edge;
  if (kind !== "attention") return [`${source} → ${target}`, MEANINGS[kind]];
  const reader = parseStage(target);
  const read = parseStage(source);
  return [
    `L${reader?.layer}H${reader?.head} at ${reader?.position}`,
    `looks at ${read?.position}: ${percentText(edge.attention ?? 0)}`,
  ];
}

/** How many of the edges carry the answer. */
export function keptText({ edges }: Trace): string {
  return `${countText(edges.filter((edge) => edge.kept).length)} of ${countText(edges.length)}`;
}
