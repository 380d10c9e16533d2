import { SIGN_WORDS, type Sign } from "../../words/swaptest";

export function VerdictSign({ verdict }: { verdict: Sign }) {
  return <i class="cw-sign" data-verdict={verdict} title={SIGN_WORDS[verdict]} />;
}
