import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { countShown, SCALES, type ScaleName } from "../../compute/axis";
import { examplesIn } from "../../compute/chosen";
import { NEARS, type Near, PALETTES, type Palette } from "../../compute/color";
import { WHOLE } from "../../compute/zoom";
import { METRICS, type Metric } from "../../data/metric";
import type { Exploration } from "../../state/exploration";
import { metricTip } from "../../words/metric";
import { countText } from "../../words/text";
import { IconButton, Menu } from "../parts/menu";
import { SaveMenu } from "../save/savemenu";
import type { GridCanvas } from "./canvas";
import { Choice } from "./menus";
import { zoomStep } from "./zooming";

const ICONS = {
  larger: "M8 3v10M3 8h10",
  smaller: "M3 8h10",
  whole: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10M6 6h4v4H6z",
  colors: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11M5 3v3M11 6.5v3M7 10v3",
  lasso:
    "M13.5 6.5c0 2.2-2.6 3.7-5.7 3.7S2.3 8.700 2.300 6.5s2.600-3.800 5.700-3.800 5.500 1.600 5.500 3.800zM5 10c-1.600 0-2 1.200-1.200 2s1 1.500 0 2",
  full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
};

interface Props {
  readonly exploration: Exploration;
  /** What is drawn on, once it is there. */
  readonly grid: RefObject<GridCanvas | null>;
  readonly root: HTMLElement;
}

/** What is faded, how large the grid is, what its colors are. */
export function GridTools({ exploration, grid, root }: Props) {
  const { scale } = exploration.display.zoom.value;
  const step = (sign: 1 | -1) => {
    if (grid.current) zoomStep(exploration, grid.current, sign);
  };
  return (
    <div class="cw-tools">
      <FilterInput exploration={exploration} />
      <IconButton
        name="zoom-in"
        label="enlarge (Ctrl and wheel, or +)"
        icon={ICONS.larger}
        onPress={() => step(1)}
      />
      <IconButton
        name="zoom-out"
        label="make smaller (Ctrl and wheel, or −)"
        icon={ICONS.smaller}
        disabled={scale === 1}
        onPress={() => step(-1)}
      />
      <IconButton
        name="zoom-whole"
        label="show the whole grid (0)"
        icon={ICONS.whole}
        disabled={scale === 1}
        onPress={() => (exploration.display.zoom.value = WHOLE)}
      />
      {exploration.arrange.value === "lattice" ? null : (
        <IconButton
          name="lasso"
          label="choose examples with a lasso (or drag with Shift)"
          icon={ICONS.lasso}
          pressed={exploration.display.lassoing.value}
          onPress={() => (exploration.display.lassoing.value = !exploration.display.lassoing.value)}
        />
      )}
      <ColorMenu exploration={exploration} />
      <SaveMenu exploration={exploration} grid={grid} root={root} />
      {root.ownerDocument.fullscreenEnabled ? (
        <IconButton
          name="full-screen"
          label="full screen"
          icon={ICONS.full}
          onPress={() => void turnFullScreen(root)}
        />
      ) : null}
    </div>
  );
}

async function turnFullScreen(root: HTMLElement): Promise<void> {
  try {
    if (root.ownerDocument.fullscreenElement) await root.ownerDocument.exitFullscreen();
    else await root.requestFullscreen();
  } catch {
    // The host page does not allow it after all: the figure stays as large as it is.
  }
}

function FilterInput({ exploration }: { exploration: Exploration }) {
  const { filtering } = exploration;
  const first = useRef(true);
  const mask = filtering.mask.value;
  const problem = filtering.problem.value;
  const written = filtering.typed.value !== "";
  const n = exploration.contents.value?.n ?? 0;
  const concept = exploration.contents.value?.concepts[0];
  const use = async (text: string) => {
    const began = first.current;
    first.current = false;
    const changed = await exploration.filter(text, began);
    // Until something has changed, there is nothing to go back to.
    if (!changed && began) first.current = true;
  };
  return (
    <span class="cw-filter">
      <input
        type="text"
        data-role="filter"
        placeholder={concept ? `filter, such as ${concept} = 1` : "filter by label"}
        aria-label="filter"
        data-tip="Concepts, such as carry2 = 1 and L0 > 5, or a text that labels contain. The rest fades."
        aria-invalid={problem !== ""}
        spellcheck={false}
        autocomplete="off"
        value={filtering.typed.value}
        onFocus={() => {
          first.current = true;
          filtering.prepare();
        }}
        onInput={(event) => void use(event.currentTarget.value)}
      />
      {written ? (
        <span class="cw-filtered">
          <span data-role="filtered" role="status">
            {mask && problem === "" ? `${countText(countShown(mask))} of ${countText(n)}` : ""}
          </span>
          {mask && problem === "" ? (
            <button
              type="button"
              data-role="choose-filtered"
              data-tip="Choose these examples, as a lasso on the map would."
              onClick={() => exploration.choose(examplesIn(mask))}
            >
              choose
            </button>
          ) : null}
          <button
            type="button"
            data-role="filter-clear"
            aria-label="clear the filter"
            data-tip="Clear the filter."
            onClick={() => {
              first.current = true;
              void use("");
            }}
          >
            ×
          </button>
        </span>
      ) : null}
      {problem === "" ? null : (
        <span class="cw-typed-problem" data-role="filter-problem" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}

function ColorMenu({ exploration }: { exploration: Exploration }) {
  const { scale, palette, near } = exploration.display;
  return (
    <Menu name="colors" label="colors and distance" icon={ICONS.colors}>
      <Choice
        exploration={exploration}
        name="metric"
        label="distance"
        options={METRICS}
        value={exploration.metric.value}
        tip={(metric) => metricTip(metric as Metric)}
        onChoose={(metric) => exploration.go({ metric: metric as Metric })}
      />
      <Choice
        exploration={exploration}
        name="scale"
        label="scale"
        options={SCALES}
        value={scale.value}
        onChoose={(name) => (scale.value = name as ScaleName)}
      />
      <Choice
        exploration={exploration}
        name="palette"
        label="palette"
        options={PALETTES}
        value={palette.value}
        onChoose={(name) => (palette.value = name as Palette)}
      />
      <Choice
        exploration={exploration}
        name="near"
        label="near is"
        options={NEARS}
        value={near.value}
        onChoose={(name) => (near.value = name as Near)}
      />
    </Menu>
  );
}
