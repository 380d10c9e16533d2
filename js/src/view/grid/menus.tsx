import { WHOLE } from "../../compute/zoom";
import { CLUSTER } from "../../data/concepts";
import type { Exploration } from "../../state/exploration";
import { describeConcept } from "../../words/concept";
import { Term } from "../parts/term";

const FOLLOW = "follow the stage";
const PLAIN = "plain order";
const CHOSEN = "rows × columns";
const MAP = "map";
const UMAP = "map by UMAP";

/** How the grid is colored and arranged. */
export function GridMenus({ exploration }: { exploration: Exploration }) {
  const names = exploration.contents.value?.concepts ?? [];
  const chosen = exploration.arrangeBy.value;
  const following = exploration.guide.axes.value ?? [names[0] ?? "", names[1] ?? names[0] ?? ""];
  const drawn = exploration.arrange.value;
  const lattice = exploration.plain.value ? PLAIN : chosen.length === 2 ? CHOSEN : FOLLOW;
  const manner = drawn === "lattice" ? lattice : drawn === "map" ? MAP : UMAP;
  const layouts = exploration.contents.value?.layouts ?? [];
  const saved = exploration.saved.value;
  const whole = exploration.without.value.length === 0;
  const canCluster =
    saved === null ||
    names.includes(CLUSTER) ||
    (whole && saved.clusters.has(exploration.stage.value));
  const arrange = (to: string) => {
    // What is enlarged is another part of another picture.
    exploration.display.zoom.value = WHOLE;
    if (to === MAP) exploration.go({ arrange: "map" });
    else if (to === UMAP) exploration.go({ arrange: "umap" });
    else if (to === PLAIN) exploration.go({ arrange: "lattice", plain: true });
    else {
      const arrangeBy = to === CHOSEN ? following : [];
      exploration.go({ arrange: "lattice", plain: false, arrangeBy });
    }
  };
  return (
    <h3 class="cw-menus" data-manner={manner}>
      <Choice
        exploration={exploration}
        name="color"
        label="color"
        options={["distance", ...(names.includes(CLUSTER) ? [] : [CLUSTER]), ...names]}
        value={exploration.colorBy.value}
        without={canCluster ? undefined : CLUSTER}
        onChoose={(by) => exploration.color(by)}
      />
      <Choice
        exploration={exploration}
        name="arrange"
        label="arrange"
        options={[
          FOLLOW,
          ...(names.length > 0 ? [CHOSEN] : []),
          PLAIN,
          ...(layouts.includes("pca") ? [MAP] : []),
          ...(layouts.includes("umap") ? [UMAP] : []),
        ]}
        value={manner}
        onChoose={arrange}
      />
      {manner === CHOSEN ? (
        <>
          <Choice
            exploration={exploration}
            name="rows"
            label="rows"
            options={names}
            value={chosen[0] ?? ""}
            onChoose={(rows) => exploration.go({ arrangeBy: [rows, chosen[1] ?? rows] })}
          />
          <Choice
            exploration={exploration}
            name="columns"
            label="columns"
            options={names}
            value={chosen[1] ?? ""}
            onChoose={(columns) => exploration.go({ arrangeBy: [chosen[0] ?? columns, columns] })}
          />
        </>
      ) : null}
    </h3>
  );
}

interface ChoiceProps {
  readonly exploration: Exploration;
  readonly name: string;
  readonly label: string;
  readonly options: readonly string[];
  readonly value: string;
  /** The option that cannot be chosen. */
  readonly without?: string | undefined;
  /** What is said of an option; by default what is known of the concept of that name. */
  readonly tip?: (option: string) => string | undefined;
  readonly onChoose: (option: string) => void;
}

/** One of some options. */
export function Choice(props: ChoiceProps) {
  const { exploration, name, label, options, value, without, onChoose } = props;
  const descriptions = exploration.contents.value?.descriptions;
  const { tip = (option: string) => describeConcept(descriptions, option) } = props;
  return (
    <span class="cw-choice">
      {label === "color" || label === "arrange" ? <Term name={label} /> : label}
      <select
        data-role={name}
        aria-label={label}
        data-tip={tip(value)}
        value={value}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option
            key={option}
            value={option}
            disabled={option === without && option !== value}
            title={tip(option)}
          >
            {option}
          </option>
        ))}
      </select>
    </span>
  );
}
