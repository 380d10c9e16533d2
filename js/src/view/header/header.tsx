import { type Signal, useSignal } from "@preact/signals";
import type { Exploration } from "../../state/exploration";
import { SwapStrip } from "./swapstrip";
import { TokenRow } from "./tokens";

interface Props {
  readonly exploration: Exploration;
  /** Whether the tour is shown. */
  readonly touring: Signal<boolean>;
}

/** The selected example, and the ways to select another. */
export function Header({ exploration, touring }: Props) {
  const typed = useSignal("");
  const contents = exploration.contents.value;
  const problem = exploration.finder.problem.value;
  const submit = (event: Event) => {
    event.preventDefault();
    if (typed.value.trim() !== "") void exploration.find(typed.value);
  };
  const random = () => {
    if (contents) exploration.go({ selected: Math.floor(Math.random() * contents.n) });
  };
  const hint = contents?.canParse ? "type an example" : "search the labels";
  return (
    <div class="cw-header">
      <TokenRow exploration={exploration} />
      <form class="cw-actions" onSubmit={submit}>
        <span class="cw-typing">
          <input
            type="text"
            data-role="type"
            placeholder={hint}
            aria-label={hint}
            aria-invalid={problem !== ""}
            value={typed.value}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
              exploration.finder.problem.value = "";
            }}
          />
          {problem === "" ? null : (
            <span class="cw-typed-problem" data-role="typed-problem" role="alert">
              {problem}
            </span>
          )}
        </span>
        <button
          type="button"
          data-role="random"
          data-tip="Select any example, by chance."
          onClick={random}
        >
          random
        </button>
        <button
          type="button"
          data-role="undo"
          aria-label="back"
          data-tip="Back to what was shown before (Esc or Ctrl+Z)."
          disabled={!exploration.canUndo.value}
          onClick={() => exploration.undo()}
        >
          ↶
        </button>
        <button
          type="button"
          data-role="redo"
          aria-label="forward"
          data-tip="Forward again (Ctrl+Shift+Z)."
          disabled={!exploration.canRedo.value}
          onClick={() => exploration.redo()}
        >
          ↷
        </button>
        <button
          type="button"
          data-role="tour"
          aria-label="show the tour"
          aria-haspopup="dialog"
          data-tip="A short tour over the figure: what each part of it shows (?)."
          onClick={() => (touring.value = true)}
        >
          ?
        </button>
      </form>
      <SwapStrip exploration={exploration} />
    </div>
  );
}
