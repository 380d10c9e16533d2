import { describe, expect, test } from "vitest";
import type { EdgeKind, Trace, TraceEdge, TraceNode } from "../../src/data/trace";
import { edgeMeaning, edgeNote, keptText, nodeNote, nodeText } from "../../src/words/trace";

function node(stage: string, loss = 1, kept = true): TraceNode {
  return { stage, loss, kept, probability: Math.exp(-loss) };
}

function edge(source: string, target: string, kind: EdgeKind, kept = true): TraceEdge {
  const attention = kind === "attention" ? 0.5 : null;
  return { source, target, kind, attention, probability: 0.5, loss: 1, kept };
}

function trace(nodes: TraceNode[], edges: TraceEdge[] = []): Trace {
  const possible = {
    possible: true,
    reason: "",
    probability: 0.991,
    keptProbability: 0.97,
    unusual: { times: 1.24, far: false },
  };
  return { row: 0, answer: "x", text: "6", ...possible, nodes, edges };
}

const LOOK = edge("embed@a", "L0H1.result@b", "attention");

describe("a trace in words", () => {
  test("says what is left without a stage or an edge", () => {
    const whole = trace([]);
    const lost = { ...node("embed@a"), probability: 0.034 };
    expect(nodeText(lost, whole)).toBe("without it the answer's probability is 3%");
    expect(nodeNote(lost, whole)).toBe("without it the answer's probability is 3% (was 99%)");
    expect(edgeNote(LOOK, whole)).toBe("without it the answer's probability is 50% (was 99%)");
  });

  test("says which stage is the answer, and what leads to it", () => {
    const nothing = { probability: null, loss: null };
    expect(nodeNote({ ...node("logits@a"), ...nothing }, trace([]))).toBe(
      "the answer itself: 6, 99%",
    );
    const last = { ...edge("L0.resid_post@a", "logits@a", "answer"), ...nothing };
    expect(edgeNote(last, trace([]))).toBe("without it there is no answer");
  });

  test("says where a head looks, and what joins what", () => {
    expect(edgeMeaning({ ...LOOK, attention: 0.73 })).toEqual(["L0H1 at b", "looks at a: 73%"]);
    expect(edgeMeaning(edge("embed@a", "L0.resid_post@a", "residual"))).toEqual([
      "embed@a → L0.resid_post@a",
      "everything so far is carried on",
    ]);
  });

  test("counts its edges", () => {
    const edges = [LOOK, edge("embed@b", "L0.resid_post@b", "residual", false)];
    expect(keptText(trace([], edges))).toBe("1 of 2");
  });
});
