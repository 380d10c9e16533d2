import { describeStage, parseStage } from "../compute/stage";
import { edgeMeaning, edgeNote, nodeNote } from "../compute/tracewords";
import type { Exploration } from "../exploration";
import { explainedTip } from "./explained";
import type { Tip } from "./tooltip";

/** What is under the pointer on the stage map: the stage of a cell or of a node, or a link. */
export function mapTip(
  exploration: Exploration,
  { stage: cell, node: dot, edge: link }: DOMStringMap,
): Omit<Tip, "x" | "y"> | null {
  const { tracing } = exploration;
  const trace = tracing.stale.value ? undefined : tracing.shown.value?.trace;
  const edge = trace?.edges[Number(link)];
  if (trace && edge) {
    const [title, detail] = edgeMeaning(edge);
    return { title, detail, note: edgeNote(edge, trace), beside: true };
  }
  const text = cell ?? dot;
  const stage = text === undefined ? null : parseStage(text);
  if (!stage || text === undefined) return null;
  const tip = { title: text, detail: describeStage(stage), ...explainedTip(exploration, text) };
  const node = trace?.nodes.find((other) => other.stage === text && (other.kept || dot));
  if (!trace || !node) return tip;
  const note = nodeNote(node, trace);
  return { ...tip, note: tip.note === undefined ? note : `${note}\n${tip.note}`, beside: true };
}
