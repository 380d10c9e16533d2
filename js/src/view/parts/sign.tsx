import type { Sets } from "../../data/swaptest";
import { SETS_WORDS, SIGN_WORDS, type Sign } from "../../words/swaptest";

/** What a swap test says of a stage, and whether the answer follows. */
export function VerdictSign({ verdict, sets = null }: { verdict: Sign; sets?: Sets }) {
  const title = sets ? `${SIGN_WORDS[verdict]}, ${SETS_WORDS[sets]}` : SIGN_WORDS[verdict];
  return <i class="cw-sign" data-verdict={verdict} data-sets={sets ?? undefined} title={title} />;
}
