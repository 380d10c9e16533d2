import { parseStage } from "../../data/stage";
import type { Exploration } from "../../state/exploration";
import { NOT_SAVED } from "../../words/saved";
import { describeStage, foldedText } from "../../words/stage";
import { edgeMeaning, edgeNote, nodeNote } from "../../words/trace";
import type { Tip } from "../parts/tooltip";
import { explainedTip } from "./explained";

/** What is under the pointer on the stage map: the stage of a cell or of a node, or an edge. */
export function mapTip(
  exploration: Exploration,
  { stage: cell, node: dot, edge: index, of }: DOMStringMap,
): Omit<Tip, "x" | "y"> | null {
  const { traces } = exploration;
  const trace = traces.stale.value ? undefined : traces.shown.value?.trace;
  const edge = trace?.edges[Number(index)];
  if (trace && edge) {
    const [title, detail] = edgeMeaning(edge);
    return { title, detail, note: edgeNote(edge, trace), beside: true };
  }
  const text = cell ?? dot;
  const stage = text === undefined ? null : parseStage(text);
  if (!stage || text === undefined) return null;
  const saved = exploration.saved.value?.stages.has(text) ?? true;
  const folded = of === undefined ? "" : `; ${foldedText(Number(of))}`;
  const detail = describeStage(stage) + folded + (saved ? "" : ` (${NOT_SAVED})`);
  const tip = { title: text, detail, ...explainedTip(exploration, text) };
  const node = trace?.nodes.find((other) => other.stage === text && (other.kept || dot));
  if (!trace || !node) return tip;
  const note = nodeNote(node, trace);
  return { ...tip, note: tip.note === undefined ? note : `${note}\n${tip.note}`, beside: true };
}
