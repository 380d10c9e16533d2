import { describe, expect, test } from "vitest";
import { drawTrace, lineKey, type MapLayout } from "../../src/compute/arcs";
import type { EdgeKind, Trace, TraceEdge, TraceNode } from "../../src/data/trace";

const ROWS = [
  ["embed", null, null],
  ["result", 0, 0],
  ["result", 0, 1],
  ["attn_out", 0, null],
  ["mlp_out", 0, null],
  ["resid_post", 0, null],
  ["logits", null, null],
] as const;

/** Lines of 10 pixels, columns of 20 from 100 on: embed, a heading, then layer 0, then logits. */
function layout(folded = false): MapLayout {
  const shown = ROWS.filter(([, layer]) => !folded || layer === null);
  return {
    lines: new Map(
      shown.map(([kind, layer, head], i) => [
        lineKey({ kind, layer, head }),
        i === 0 ? 0 : folded ? 2 : i + 1,
      ]),
    ),
    headings: new Map([[0, 1]]),
    columns: new Map([
      ["a", 0],
      ["b", 1],
    ]),
    lineHeight: 10,
    columnWidth: 20,
    left: 100,
  };
}

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

/** Start and end of a path, and how far it goes to the left and to the right of its start. */
function course(d: string): { from: number[]; to: number[]; left: number; right: number } {
  const numbers = (d.match(/-?[\d.]+/g) ?? []).map(Number);
  const xs = numbers.filter((_, i) => i % 2 === 0);
  const [x = 0] = xs;
  return {
    from: numbers.slice(0, 2),
    to: numbers.slice(-2),
    left: x - Math.min(...xs),
    right: Math.max(...xs) - x,
  };
}

describe("the nodes of a trace", () => {
  test("are in the middle of their cells", () => {
    const { dots } = drawTrace(trace([node("embed@a"), node("L0H1.result@b")]), layout(), false);
    // A cell is a pixel narrower than its column: 100 to 119.
    expect(dots.map(({ x, y }) => [x, y])).toEqual([
      [109.5, 5],
      [129.5, 35],
    ]);
  });

  test("are the larger the more the answer loses without them, as its root", () => {
    const nodes = [0, 1, 4, 16].map((loss, i) =>
      node(`${["embed", "L0.attn_out", "L0.mlp_out", "logits"][i]}@a`, loss),
    );
    const radii = drawTrace(trace(nodes), layout(), false).dots.map(({ r }) => r);
    expect(radii).toEqual([2, 3.125, 4.25, 6.5]);
  });

  test("are all small where none of them matters, and never less than small", () => {
    const nodes = [node("embed@a", 0.005), node("embed@b", -0.3)];
    const radii = drawTrace(trace(nodes), layout(), false).dots.map(({ r }) => r);
    expect(Math.max(...radii)).toBeLessThan(2.5);
    expect(Math.min(...radii)).toBe(2);
  });

  test("that are not kept are there when asked for, and do not shrink the others", () => {
    const nodes = [node("embed@a", 4), node("embed@b", 100, false)];
    const without = drawTrace(trace(nodes), layout(), false).dots;
    const withThem = drawTrace(trace(nodes), layout(), true).dots;
    expect(without.map(({ node }) => node.stage)).toEqual(["embed@a"]);
    expect(withThem.map(({ r }) => r)).toEqual([6.5, 6.5]);
  });

  test("are as large as any where they are the answer itself, which loses nothing", () => {
    const answer = { ...node("logits@a"), loss: null, probability: null };
    const { dots } = drawTrace(trace([node("embed@a", 4), answer]), layout(), false);
    expect(dots.map(({ r, answer }) => [r, answer])).toEqual([
      [6.5, false],
      [6.5, true],
    ]);
  });

  test("of a folded layer are one at its heading, for the one that matters most", () => {
    const nodes = [node("L0H0.result@b", 1), node("L0H1.result@b", 2), node("L0.mlp_out@b", 1.5)];
    const { dots } = drawTrace(trace(nodes), layout(true), false);
    expect(dots.map(({ node, x, y }) => [node.stage, x, y])).toEqual([
      ["L0H1.result@b", 129.5, 15],
    ]);
  });

  test("without a line, a heading or a column are left out", () => {
    const nodes = [node("ln_final@a"), node("L7.mlp_out@a"), node("embed@z"), node("nonsense")];
    expect(drawTrace(trace(nodes), layout(), false).dots).toEqual([]);
  });
});

describe("the edges of a trace", () => {
  test("begin and end in the middle of cells", () => {
    const [arc] = drawTrace(trace([], [LOOK]), layout(), false).arcs;
    expect(course(arc?.d ?? "")).toMatchObject({ from: [109.5, 5], to: [129.5, 35] });
  });

  test("of attention are the wider the more the head looks there", () => {
    const looks = [0, 0.5, 1].map((attention, i) => ({
      ...edge("embed@a", `L0H${i % 2}.result@${i < 2 ? "b" : "a"}`, "attention"),
      attention,
    }));
    const widths = drawTrace(trace([], looks), layout(), false).arcs.map(({ width }) => width);
    expect(widths).toEqual([0.8, 1.8, 2.8]);
  });

  test("to a neighboring line are straight, and others swing out within their column", () => {
    const edges = [
      edge("L0H1.result@a", "L0.attn_out@a", "head"),
      edge("L0H0.result@a", "L0.attn_out@a", "head"),
      edge("embed@a", "L0.resid_post@a", "residual"),
    ];
    const [near, far, stream] = drawTrace(trace([], edges), layout(), false).arcs.map(({ d }) =>
      course(d),
    );
    expect(near).toMatchObject({ left: 0, right: 0 });
    expect(far?.left).toBe(0);
    expect(far?.right).toBeGreaterThan(3);
    expect(stream?.right).toBe(0);
    // Handles of a cubic are a third farther out than the curve.
    expect(0.75 * (stream?.left ?? 0)).toBeGreaterThan(8);
    expect(0.75 * (stream?.left ?? 0)).toBeLessThanOrEqual(10);
  });

  test("of a head that looks at its own position are not where the residual stream is", () => {
    const own = edge("embed@a", "L0H1.result@a", "attention");
    const stream = edge("embed@a", "L0.resid_post@a", "residual");
    const [look, carried] = drawTrace(trace([], [own, stream]), layout(), false).arcs.map(({ d }) =>
      course(d),
    );
    expect(look?.right).toBeGreaterThan(5);
    expect(look?.left).toBe(0);
    expect(carried?.right).toBe(0);
  });

  test("that are not kept are there when asked for", () => {
    const cut = edge("embed@b", "L0.resid_post@b", "residual", false);
    expect(drawTrace(trace([], [LOOK, cut]), layout(), false).arcs).toHaveLength(1);
    expect(drawTrace(trace([], [LOOK, cut]), layout(), true).arcs).toHaveLength(2);
  });

  test("within a folded layer are left out, and those that run alike are one, kept if any is", () => {
    const edges = [
      edge("L0H0.result@b", "L0.attn_out@b", "head"),
      edge("embed@a", "L0H0.result@b", "attention", false),
      { ...LOOK, loss: 0.1 },
    ];
    const { arcs } = drawTrace(trace([], edges), layout(true), true);
    expect(arcs.map(({ edge }) => edge.target)).toEqual(["L0H1.result@b"]);
  });
});
