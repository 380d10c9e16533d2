import { describe, expect, test } from "vitest";
import { csvText } from "../../src/compute/csv";
import { type Drawn, drawingOf } from "../../src/compute/drawing";
import { labelsAlong, nameAlong } from "../../src/compute/edges";
import { fileName, plainText } from "../../src/compute/plaintext";
import { escaped, svgText } from "../../src/compute/svg";
import { stateText, USUAL } from "../../src/compute/viewstate";
import vectors from "../vectors.json";

const HOSTILE = [
  '<img src=x onerror="alert(1)">',
  "</script><script>alert(1)</script>",
  "]]><!--&amp;'\"",
  "\u202e\u2066evil\u0000\u001b[31m",
  "\ud800half",
];

describe("a table as CSV", () => {
  test("numbers stay numbers, texts are quoted where they must be", () => {
    const text = csvText(
      ["a", "b, c"],
      [
        [-1.5, 'say "x"'],
        [true, "1934+0678"],
        [1e-7, " pad "],
      ],
    );
    expect(text).toBe('a,"b, c"\r\n-1.5,"say ""x"""\r\ntrue,1934+0678\r\n1e-7," pad "\r\n');
  });

  test.each(["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "  =1", "＝1", "'=1", '"=1', "\u0000=1"])(
    "%j is no formula",
    (cell) => {
      const text = csvText(["x"], [[cell]]).split("\r\n")[1] ?? "";
      const inside = text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
      expect(inside.startsWith("'")).toBe(true);
    },
  );

  test.each(HOSTILE)("%j is one cell on one line", (cell) => {
    const lines = csvText(["x", "y"], [[cell, 1]]).split("\r\n");
    expect(lines).toHaveLength(3);
    expect(plainText(lines[1] ?? "")).toBe(lines[1]);
  });
});

const drawn: Drawn = {
  title: `distance from ${HOSTILE[0]}`,
  note: HOSTILE[1] ?? "",
  width: 300,
  height: 200,
  margin: 6,
  rows: { name: HOSTILE[2] ?? "", labels: HOSTILE, edge: { pitch: 40, from: 0, extent: 200 } },
  columns: { name: "R1", labels: ["0", "1"], edge: { pitch: 150, from: 0, extent: 300 } },
  legend: {
    kind: "distances",
    counts: Uint32Array.of(4, 0, 9),
    stops: [
      [0, "rgb(1, 2, 3)"],
      [1, "#fff"],
    ],
    texts: ["0", HOSTILE[3] ?? "", "9"],
  },
  ink: "#111",
  soft: "#555",
  ground: "#fff",
  bars: "#999",
};
const values: Drawn = {
  ...drawn,
  rows: null,
  note: "",
  legend: { kind: "values", name: "kind", values: HOSTILE.map((value) => [value, "#123456"]) },
};

/** The element names of a text in XML; throws where it is not well-formed as far as that goes. */
function elements(xml: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  const rest = xml.replace(/<(\/?)([a-zA-Z]+)((?:\s[\w:-]+="[^"<]*")*)\s*(\/?)>/g, (...match) => {
    const [, closing, name, , alone] = match as string[];
    if (closing) expect(open.pop()).toBe(name);
    else {
      names.push(name ?? "");
      if (!alone) open.push(name ?? "");
    }
    return "";
  });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/);
  return names;
}

describe("a figure as SVG", () => {
  test.each([drawn, values])("has no element and no address but its own", (figure) => {
    const svg = svgText(drawingOf(figure), "data:image/png;base64,AAAA");
    const known = ["svg", "defs", "linearGradient", "stop", "rect", "text", "image"];
    for (const name of elements(svg)) expect(known).toContain(name);
    expect(svg.match(/href="[^"]*"/g)).toEqual(['href="data:image/png;base64,AAAA"']);
    expect(plainText(svg.trimEnd())).toBe(svg.trimEnd());
    expect(svg).not.toContain("script>");
  });

  test("everything lies on the paper", () => {
    for (const figure of [drawn, values]) {
      const { width, height, items } = drawingOf(figure);
      for (const item of items) {
        expect(item.x).toBeGreaterThanOrEqual(0);
        expect(item.y).toBeGreaterThanOrEqual(0);
        expect(item.y).toBeLessThan(height);
        if (item.kind !== "text") expect(item.x + item.width).toBeLessThanOrEqual(width);
      }
    }
  });

  test("text is escaped once", () => {
    expect(escaped(`<a href="x">&'`)).toBe("&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  });
});

test("a file's name has nothing that a system takes for more", () => {
  expect(fileName("grid", "42", "L1H3.result@S3")).toBe("grid-42-L1H3.result@S3");
  expect(fileName("../../etc/passwd\u202e")).toBe("etc_passwd");
  expect(fileName("", "…")).toBe("figure");
  expect(fileName("a".repeat(300))).toHaveLength(80);
});

test("labels stand where there is room, and in the middle of what is in sight", () => {
  const edge = { pitch: 20, from: 0, extent: 100 };
  const labels = ["a", "b", "c", "d", "e"];
  expect(labelsAlong(labels, edge, 12).map(({ at }) => at)).toEqual([10, 30, 50, 70, 90]);
  expect(labelsAlong(labels, edge, 30).map(({ text }) => text)).toEqual(["a", "c", "e"]);
  const zoomed = { pitch: 200, from: 300, extent: 100 };
  expect(labelsAlong(labels, zoomed, 12)).toEqual([{ text: "b", at: 50 }]);
  expect(nameAlong(labels, zoomed)).toBe(50);
});

test("a view is written as Python writes it", () => {
  for (const { view, text } of vectors.views) {
    const { color_by: colorBy, arrange_by: arrangeBy, zoom, ...same } = view;
    const [scale = 1, x = 0, y = 0] = zoom;
    expect(stateText({ ...same, colorBy, arrangeBy, zoom: { scale, x, y } })).toBe(text);
  }
  expect(stateText({ ...USUAL, stage: "embed@0", selected: 0, k: 100 })).toBe(
    "cw1?stage=embed%400&selected=0&k=100",
  );
});
