import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Axis } from "../../compute/blocks";
import type { Lattice } from "../../compute/lattice";
import type { Picture } from "../../state/picture";

interface Props {
  readonly picture: ReadonlySignal<Picture | null>;
  readonly lattice: ReadonlySignal<Lattice | null>;
  /** The cells. */
  readonly children: ComponentChildren;
  /** What stands under the cells, as wide as they are. */
  readonly below: ComponentChildren;
}

/** Room for an axis's name and its labels, in pixels. */
function gutterOf(labels: readonly string[]): number {
  return 18 + 7 * Math.max(...labels.map((label) => Math.min(8, label.length)));
}

/** What the rows and columns of blocks stand for, written at the edges of the grid. */
export function AxesFrame({ picture, lattice, children, below }: Props) {
  const blocks = picture.value?.arrangement.blocks;
  const fitted = lattice.value;
  const ratio = window.devicePixelRatio || 1;
  const rows = blocks?.rows ?? null;
  const columns = blocks?.columns ?? null;
  const gutter = rows ? gutterOf(rows.labels) : 0;
  return (
    <div
      class="cw-edges"
      style={{
        gridTemplateColumns: `${gutter}px minmax(0, 1fr)`,
        gridTemplateRows: `${columns ? 28 : 0}px minmax(0, 1fr) auto`,
        gap: rows ? "3px" : "0",
      }}
    >
      <span class="cw-corner" />
      <AxisLabels
        axis={columns}
        class="cw-top"
        property="left"
        pitch={(fitted?.pitchX ?? 0) / ratio}
      />
      <AxisLabels
        axis={rows}
        class="cw-side"
        property="top"
        pitch={(fitted?.pitchY ?? 0) / ratio}
      />
      {children}
      <div class="cw-below" style={fitted ? { maxWidth: `${fitted.width / ratio}px` } : {}}>
        {below}
      </div>
    </div>
  );
}

interface AxisProps {
  readonly axis: Axis | null;
  readonly class: string;
  readonly property: "left" | "top";
  readonly pitch: number;
}

function AxisLabels({ axis, class: name, property, pitch }: AxisProps) {
  if (!axis) return <div class={name} />;
  const widest = Math.max(...axis.labels.map((label) => label.length));
  const room = property === "left" ? pitch / (6.5 * widest + 4) : pitch / 12;
  const every = Math.max(1, Math.ceil(1 / Math.max(room, 0.01)));
  return (
    <div class={name}>
      <em style={{ [property]: `${(pitch * axis.labels.length) / 2}px` }}>{axis.name}</em>
      {axis.labels.map((label, i) =>
        i % every === 0 ? (
          <span key={label} style={{ [property]: `${pitch * (i + 0.5)}px` }}>
            {label}
          </span>
        ) : null,
      )}
    </div>
  );
}
