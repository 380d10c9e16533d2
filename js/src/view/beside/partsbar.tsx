import type { StageParts } from "../../data/parts";
import { percentText } from "../../words/text";

interface Props {
  readonly parts: StageParts;
  readonly without: readonly string[];
  /** Sets a part's concepts aside, or puts them back; without it the bar is to look at only. */
  readonly onPress?: (concepts: readonly string[], aside: boolean, started: number) => void;
}

/** What a stage is made of, as one stacked bar. */
export function PartsBar({ parts, without, onPress }: Props) {
  const { unexplained } = parts;
  if (unexplained === null) return null;
  const thin = onPress === undefined;
  return (
    <div class={thin ? "cw-parts cw-thin" : "cw-parts"} aria-hidden={thin || undefined}>
      {parts.parts.map(({ name, concepts, adds, color }) => {
        const aside = concepts.every((concept) => without.includes(concept));
        const style = { width: `${100 * Math.max(0, adds)}%`, "--cw-hue": color };
        if (thin) return <i key={name} style={style} data-aside={aside || undefined} />;
        const said = `${name} explains ${percentText(adds)} of the distances here`;
        return (
          <button
            key={name}
            type="button"
            data-part={name}
            aria-pressed={aside}
            style={style}
            title={`${said}. Press to ${aside ? "put it back" : "set it aside"}.`}
            aria-label={`${said}; set aside`}
            onClick={({ timeStamp }) => onPress(concepts, !aside, timeStamp)}
          >
            {name}
          </button>
        );
      })}
      <i
        class="cw-rest"
        style={{ width: `${100 * Math.max(0, unexplained)}%` }}
        title={`nothing that you named explains ${percentText(unexplained)}`}
      />
    </div>
  );
}
