import type { Sets } from "../../data/swaptest";
import { SETS_WORDS, SIGN_WORDS, type Sign } from "../../words/swaptest";

/** What a swap test says of a stage, and whether the answer follows. */
export function VerdictSign({ verdict, sets = null }: { verdict: Sign; sets?: Sets }) {
  return (
    <>
      <i class="cw-sign" data-verdict={verdict} data-tip={SIGN_WORDS[verdict]} />
      {sets ? <i class="cw-sign" data-sets={sets} data-tip={SETS_WORDS[sets]} /> : null}
    </>
  );
}
