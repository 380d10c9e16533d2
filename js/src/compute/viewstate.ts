import { WHOLE, type Zoom } from "./zoom";

/** All that a short text brings back: `clusterwidget/wire/viewstate.py` reads it. */
export interface View {
  readonly stage: string;
  readonly selected: number;
  readonly k: number;
  readonly colorBy: string;
  readonly arrange: string;
  readonly arrangeBy: readonly string[];
  readonly without: readonly string[];
  readonly metric: string;
  readonly plain: boolean;
  readonly filter: string;
  readonly scale: string;
  readonly palette: string;
  readonly near: string;
  readonly zoom: Zoom;
  readonly unfolded: readonly number[] | null;
}

const VERSION = "cw1";

/** A view as one short text without spaces and quotes; what is usual is left out. */
export function stateText(view: View): string {
  const { scale, x, y } = view.zoom;
  const zoom = [scale, x, y].map((number) => Number(number.toFixed(4))).join();
  const pairs: readonly (readonly [string, string, string?])[] = [
    ["stage", view.stage],
    ["selected", String(view.selected)],
    ["k", String(view.k)],
    ["color_by", view.colorBy, "distance"],
    ["arrange", view.arrange, "lattice"],
    ...view.arrangeBy.map((name) => ["arrange_by", name] as const),
    ...view.without.map((name) => ["without", name] as const),
    ["metric", view.metric, "l2"],
    ["plain", view.plain ? "1" : "", ""],
    ["filter", view.filter, ""],
    ["scale", view.scale, "linear"],
    ["palette", view.palette, "viridis"],
    ["near", view.near, "bright"],
    ["zoom", view.zoom.scale > 1 ? zoom : "", ""],
    ["unfolded", view.unfolded ? view.unfolded.join() || "none" : "", ""],
  ];
  const written = pairs
    .filter(([, value, usual]) => value !== usual)
    .map(([name, value]) => `${name}=${quoted(value)}`);
  return `${VERSION}?${written.join("&")}`;
}

/** The view where nothing was chosen. */
export const USUAL: Omit<View, "stage" | "selected" | "k"> = {
  colorBy: "distance",
  arrange: "lattice",
  arrangeBy: [],
  without: [],
  metric: "l2",
  plain: false,
  filter: "",
  scale: "linear",
  palette: "viridis",
  near: "bright",
  zoom: WHOLE,
  unfolded: null,
};

/** Percent-encoded, quotes and parentheses too; half a character, which no text can hold, as a sign. */
function quoted(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd")).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
