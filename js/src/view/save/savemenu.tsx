import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { fileName } from "../../compute/plaintext";
import { svgText } from "../../compute/svg";
import { download } from "../../host/download";
import type { Exploration } from "../../state/exploration";
import { messageOf } from "../../state/task";
import type { GridCanvas } from "../grid/canvas";
import { Menu } from "../parts/menu";
import { drawn, RATIO } from "./drawn";
import { painted } from "./paint";
import { neighborsCsv, sharedCsv, viewText } from "./tables";

const ICON = "M8 2.5v7.5M5 7l3 3 3-3M2.5 11v2.5h11V11";

interface Props {
  readonly exploration: Exploration;
  readonly grid: RefObject<GridCanvas | null>;
  readonly root: HTMLElement;
}

/** What is on screen as pictures, tables, and a text that brings it back. */
export function SaveMenu({ exploration, grid, root }: Props) {
  const said = useSignal("");
  const name = (what: string, ending: string) => {
    const picture = exploration.picture.value;
    return `${fileName(what, String(picture?.selected ?? ""), picture?.stage ?? "")}.${ending}`;
  };
  const tried = (work: () => unknown) => async () => {
    said.value = "";
    try {
      await work();
    } catch (error) {
      exploration.problem.value = messageOf(error);
    }
  };
  const savePicture = async (kind: "png" | "svg") => {
    const made = grid.current && drawn(exploration, grid.current, root);
    if (!made) return;
    const { drawing, cells } = made;
    if (kind === "svg") {
      const svg = svgText(drawing, cells.toDataURL("image/png"));
      download(new Blob([svg], { type: "image/svg+xml" }), name("grid", kind));
      return;
    }
    const canvas = painted(drawing, cells, RATIO);
    const png = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
    if (!png) throw new Error("This browser could not make a PNG of the grid: save an SVG.");
    download(png, name("grid", kind));
  };
  const saveTable = (what: string, text: string) =>
    download(new Blob([text], { type: "text/csv;charset=utf-8" }), name(what, "csv"));
  const copy = async () => {
    const field = root.querySelector<HTMLInputElement>("[data-role=view-text]");
    field?.select();
    try {
      await navigator.clipboard.writeText(viewText(exploration));
      said.value = "copied";
    } catch {
      // Not allowed in this frame: the text is marked, for the keys that copy.
      said.value = "press Ctrl+C";
    }
  };
  const buttons = [
    ["save-png", "PNG picture", () => savePicture("png")],
    ["save-svg", "SVG picture", () => savePicture("svg")],
    ["save-neighbors", "CSV of the nearest", () => saveTable("nearest", neighborsCsv(exploration))],
    ["save-shared", "CSV of what they share", () => saveTable("shared", sharedCsv(exploration))],
  ] as const;
  return (
    <Menu name="save" label="save" icon={ICON}>
      {buttons.map(([role, label, work]) => (
        <button key={role} type="button" data-role={role} onClick={tried(work)}>
          {label}
        </button>
      ))}
      <div class="cw-view-text">
        <input
          type="text"
          readOnly
          data-role="view-text"
          aria-label="this view as a text"
          data-tip="In Python, w.state = '…' brings this view back."
          value={viewText(exploration)}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" data-role="copy-view" onClick={tried(copy)}>
          {said.value || "copy view"}
        </button>
      </div>
    </Menu>
  );
}
