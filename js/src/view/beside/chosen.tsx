import { useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Exploration } from "../../state/exploration";
import { countText, percentText } from "../../words/text";
import { useSpan, visible } from "../parts/span";
import { Bars } from "./shared";

const LINE = 20;

/** The chosen examples: how many, what they share, and a concept with one press. */
export function ChosenPanel({ exploration }: { exploration: Exploration }) {
  const { choice, contents, knowledge, labels } = exploration;
  const scroller = useRef<HTMLDivElement>(null);
  const span = useSpan(scroller);
  const examples = choice.examples.value;
  const n = contents.value?.n ?? 1;
  const groups = useComputed(() => knowledge.sharedBy(choice.examples.value));
  const [first, end] = visible(span.top, span.height, LINE, examples.length);
  const selected = exploration.selected.value;
  return (
    <>
      <h3>
        <span class="cw-near-what" data-role="chosen-count" role="status">
          <b>{countText(examples.length)}</b> of {countText(n)} examples are chosen (
          {percentText(examples.length / n)})
        </span>
        <button
          type="button"
          data-role="chosen-clear"
          data-tip="Choose none: all examples are shown again."
          onClick={() => exploration.choose([])}
        >
          clear
        </button>
      </h3>
      <NameForm exploration={exploration} />
      <div class="cw-facts" data-less>
        {knowledge.problem.value === "" ? (
          <Bars
            exploration={exploration}
            groups={groups.value}
            of="chosen"
            onMark={() => undefined}
          />
        ) : (
          <p class="cw-aside">{knowledge.problem.value}</p>
        )}
      </div>
      <div class="cw-scroll" ref={scroller} data-role="chosen" tabIndex={-1}>
        <ol style={{ height: `${examples.length * LINE}px` }}>
          {Array.from(examples.subarray(first, end), (example, i) => (
            <li
              class="cw-neighbor"
              aria-posinset={first + i + 1}
              aria-setsize={examples.length}
              key={first + i}
              style={{ top: `${(first + i) * LINE}px` }}
            >
              <button
                type="button"
                data-example={example}
                aria-current={example === selected || undefined}
                onClick={({ timeStamp }) => exploration.go({ selected: example }, timeStamp)}
              >
                <span class="cw-label">{labels.value?.at(example) ?? `example ${example}`}</span>
              </button>
            </li>
          ))}
        </ol>
      </div>
    </>
  );
}

/** Makes a concept of what is chosen. */
function NameForm({ exploration }: { exploration: Exploration }) {
  const { choice } = exploration;
  const name = useSignal("");
  if (exploration.saved.value !== null) return null;
  const make = async () => {
    const made = await choice.name(name.value);
    if (made === undefined) return;
    name.value = "";
    exploration.colorWhenRead(made);
  };
  return (
    <>
      <form
        class="cw-name-form"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <input
          type="text"
          data-role="chosen-name"
          aria-label="name of the new concept"
          placeholder="what they have in common"
          spellcheck={false}
          autocomplete="off"
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <button
          type="submit"
          data-role="name-chosen"
          disabled={name.value.trim() === ""}
          data-tip="Make a concept of the chosen examples: 1 for these, 0 for the others."
        >
          name it
        </button>
      </form>
      {choice.problem.value === "" ? null : (
        <p class="cw-error" role="alert">
          {choice.problem.value}
        </p>
      )}
    </>
  );
}
