/** log n!, by Stirling's series where n is large enough for it. */
export function logFactorial(n: number): number {
  let x = n + 1;
  let below = 0;
  for (; x < 16; x++) below += Math.log(x);
  const s = 1 / (x * x);
  const series = (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s / 1680))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - below;
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Terms smaller than this share of the sum are left out. */
const NEGLIGIBLE = 1e-17;

/**
 * Chance of at least `hits` when `drawn` of `others` are drawn and `alike` of them are hits: the
 * upper tail of the hypergeometric distribution. It is summed from `hits` away from the mean, where
 * each term is smaller than the one before.
 */
export function chanceOfAtLeast(
  hits: number,
  others: number,
  alike: number,
  drawn: number,
): number {
  const least = Math.max(0, drawn + alike - others);
  const most = Math.min(alike, drawn);
  if (hits <= least) return 1;
  if (hits > most) return 0;
  const rising = hits > (drawn * alike) / others;
  const first = rising ? hits : hits - 1;
  let term = Math.exp(
    logChoose(alike, first) + logChoose(others - alike, drawn - first) - logChoose(others, drawn),
  );
  let sum = term;
  if (rising) {
    for (let i = first; i < most && term > NEGLIGIBLE * sum; i++) {
      term *= ((alike - i) * (drawn - i)) / ((i + 1) * (others - alike - drawn + i + 1));
      sum += term;
    }
    return Math.min(1, sum);
  }
  for (let i = first; i > least && term > NEGLIGIBLE * sum; i--) {
    term *= (i * (others - alike - drawn + i)) / ((alike - i + 1) * (drawn - i + 1));
    sum += term;
  }
  return Math.max(0, 1 - sum);
}

/** Chances corrected for how many were tested, after Benjamini and Hochberg, in their own order. */
export function corrected(chances: readonly number[]): number[] {
  const m = chances.length;
  const largestFirst = chances.map((_, i) => i);
  largestFirst.sort((a, b) => (chances[b] as number) - (chances[a] as number));
  const out = new Array<number>(m);
  let lowest = 1;
  largestFirst.forEach((index, i) => {
    lowest = Math.min(lowest, ((chances[index] as number) * m) / (m - i));
    out[index] = lowest;
  });
  return out;
}
