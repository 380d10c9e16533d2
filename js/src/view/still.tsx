import { distanceColor, PALETTES } from "../compute/color";
import type { Snapshot } from "../host/snapshot";
import { distanceText } from "../words/text";
import { Token } from "./header/tokens";

/** The colors from near to far. */
function stopsOf({ palette, bright = true }: Snapshot): string[] {
  const known = PALETTES.find((name) => name === palette);
  return Array.from({ length: 9 }, (_, i) =>
    distanceColor(i / 8, known, bright ? "bright" : "dark"),
  );
}

/** The last picture of a figure that no kernel answers for. */
export function Still({ snapshot, silent }: { snapshot: Snapshot; silent: boolean }) {
  const { image, label, stage, parts, rows, columns, neighbors, colorBy, near, far } = snapshot;
  return (
    <>
      <div class="cw-header">
        <div class="cw-tokens">
          {parts.map(({ name, text, answer }) => (
            <Token key={name} text={text} name={name} title={name} share={0} answer={answer} />
          ))}
        </div>
        <span class="cw-spacer" />
        {silent ? (
          <strong class="cw-snapshot" data-role="snapshot">
            Snapshot. Run the cell to explore.
          </strong>
        ) : null}
      </div>
      <div class="cw-main cw-still">
        <section class="cw-panel cw-grid" aria-label={`examples by distance from ${label}`}>
          <div class="cw-edges">
            <span />
            <StillEdge axis={columns} class="cw-top" property="left" />
            <StillEdge axis={rows} class="cw-side" property="top" />
            <img
              class="cw-image"
              src={image}
              alt={`examples by distance from ${label} at ${stage}`}
            />
          </div>
          {colorBy === "distance" ? (
            <div class="cw-legend">
              <div
                class="cw-ramp"
                style={{ background: `linear-gradient(to right, ${stopsOf(snapshot)})` }}
              />
              <div class="cw-scale">
                <span>{distanceText(near)}</span>
                <span class="cw-from">distance from {label}</span>
                <span>{distanceText(far)}</span>
              </div>
            </div>
          ) : (
            <div class="cw-legend">colored by {colorBy}</div>
          )}
        </section>
        <section class="cw-panel cw-near">
          <h3>
            <span class="cw-near-what">
              near <b>{label}</b> at <b>{stage}</b>
            </span>
          </h3>
          <ol class="cw-scroll cw-still-list">
            {neighbors.map(([text, distance], i) => (
              <li key={i}>
                <span class="cw-label">{text}</span>
                <span class="cw-distance">{distanceText(distance)}</span>
              </li>
            ))}
          </ol>
        </section>
      </div>
    </>
  );
}

interface EdgeProps {
  readonly axis: Snapshot["rows"];
  readonly class: string;
  readonly property: "left" | "top";
}

function StillEdge({ axis, class: name, property }: EdgeProps) {
  const count = axis?.labels.length ?? 1;
  return (
    <div class={name}>
      <em style={{ [property]: "50%" }}>{axis?.name}</em>
      {axis?.labels.map((label, i) => (
        <span key={label} style={{ [property]: `${(100 * (i + 0.5)) / count}%` }}>
          {label}
        </span>
      ))}
    </div>
  );
}
