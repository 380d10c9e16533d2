import { describe, expect, test } from "vitest";
import { drawTrace, lineKey, type MapLayout } from "../../src/compute/arcs";
import type { Trace, TraceEdge, TraceNode } from "../../src/data/trace";
import vectors from "../vectors.json";

const { positions, layout, nodes, edges, drawn } = vectors.trace;
const { lineHeight, columnWidth } = layout;

/** Index of a line from the middle that Python gives it. */
const lineAt = (y: number) => y / lineHeight - 0.5;

// Cells are a pixel narrower than columns here, and their middle is half of one to the left.
const placed: MapLayout = {
  lines: new Map(layout.lines.map((line) => [lineKey(line), lineAt(line.y)])),
  headings: new Map(layout.headings.map(({ layer, y }) => [layer, lineAt(y)])),
  columns: new Map(positions.map((position, i) => [position, i])),
  lineHeight,
  columnWidth,
  left: 0.5,
};

const trace: Trace = {
  row: 0,
  answer: "next",
  possible: true,
  reason: "",
  text: "x",
  probability: 1,
  keptProbability: 0.9,
  unusual: null,
  nodes: nodes.map((node) => ({ ...node, probability: null }) as TraceNode),
  edges: edges.map((edge) => ({ ...edge, probability: null }) as TraceEdge),
};

describe("a trace is as Python draws it", () => {
  [false, true].forEach((pruned, i) => {
    test(pruned ? "with what the answer does not need" : "without it", () => {
      const { dots, arcs } = drawTrace(trace, placed, pruned);
      const found = dots.map(({ node, x, y, r, answer }) => [node.stage, x, y, r, answer]);
      const expected = drawn[i]?.dots ?? [];
      expect(found.map(([stage]) => stage)).toEqual(expected.map(([stage]) => stage));
      found.forEach((dot, at) => {
        dot.forEach((value, part) => {
          if (typeof value === "number") expect(value).toBeCloseTo(expected[at]?.[part] as number);
          else expect(value).toBe(expected[at]?.[part]);
        });
      });
      const curves = drawn[i]?.arcs ?? [];
      expect(arcs.length).toBe(curves.length);
      arcs.forEach(({ d, width }, at) => {
        const [points, wide] = curves[at] as [number[], number];
        const numbers = (d.match(/-?[\d.]+/g) ?? []).map(Number);
        expect(numbers.length).toBe(points.length);
        numbers.forEach((number, part) => {
          expect(Math.abs(number - (points[part] as number))).toBeLessThan(0.006);
        });
        expect(width).toBeCloseTo(wide, 2);
      });
    });
  });
});
