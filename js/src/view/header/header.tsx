import { useSignal } from "@preact/signals";
import type { Exploration } from "../../state/exploration";
import { SwapStrip } from "./swapstrip";
import { TokenRow } from "./tokens";

/** The selected example, and the ways to select another. */
export function Header({ exploration }: { exploration: Exploration }) {
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
  const hint = contents?.canParse ? "type an example" : "search labels";
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
        <button type="button" data-role="random" onClick={random}>
          random
        </button>
        <button
          type="button"
          data-role="undo"
          aria-label="back"
          title="back (Esc or Ctrl+Z)"
          disabled={!exploration.canUndo.value}
          onClick={() => exploration.undo()}
        >
          ↶
        </button>
        <button
          type="button"
          data-role="redo"
          aria-label="forward"
          title="forward (Ctrl+Shift+Z)"
          disabled={!exploration.canRedo.value}
          onClick={() => exploration.redo()}
        >
          ↷
        </button>
      </form>
      <SwapStrip exploration={exploration} />
    </div>
  );
}
