import { seenText } from "../compute/signs";

/** A token as a person can see it: spaces, line ends and special tokens have a sign. */
export function visibleToken(text: string): string {
  return seenText(text, true);
}

/** A text as a person can see it: the same, but for single spaces between words. */
export function visibleText(text: string): string {
  return seenText(text);
}

/** A distance with as many digits as tell it from its like; only an exact 0 is written 0. */
export function distanceText(distance: number): string {
  if (distance === 0) return "0";
  if (!Number.isFinite(distance)) return "–";
  const digits = Math.floor(Math.log10(Math.abs(distance)));
  if (digits >= 5 || digits < -4) return distance.toExponential(2);
  if (digits < -1) return distance.toPrecision(2);
  return distance.toFixed(Math.max(0, 3 - Math.max(0, digits)));
}

/** A concept's value; a number of many digits is cut to four. */
export function valueText(value: string | undefined): string {
  const number = Number(value);
  if (!value || value.length <= 8 || !Number.isFinite(number)) return value ?? "";
  return String(Number(number.toPrecision(4)));
}

/** A whole number with commas between thousands. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A share in percent; only all is written 100%, and only none 0%. */
export function percentText(share: number): string {
  const percent = Math.round(100 * share);
  if (share > 0 && percent === 0) return "<1%";
  if (share < 1 && percent === 100) return ">99%";
  return `${percent}%`;
}

/** A chance, as exact as anyone needs. */
export function chanceText(chance: number): string {
  if (chance < 1e-9) return "less than 1 in a billion";
  return chance < 0.001 ? chance.toExponential(0) : chance.toPrecision(2);
}

/** A contribution with its sign. */
export function contributionText(value: number): string {
  return `${value < 0 ? "−" : "+"}${distanceText(Math.abs(value))}`;
}
