import { plainText } from "./plaintext";

export type CsvCell = string | number | boolean;

/** What a spreadsheet would take for a formula. */
const FORMULA = /^[\s'"\ufffd]*[=+\-@\uff1d\uff0b\uff0d\uff20]/;

/** A table as comma-separated values; texts that look like formulas are made texts by a leading '. */
export function csvText(header: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(cellText).join(",")}\r\n`).join("");
}

function cellText(cell: CsvCell): string {
  if (typeof cell !== "string") return String(cell);
  // Looked at before it is cleaned, too: a tab or a line end in front hides the sign from nobody.
  const plain = plainText(cell);
  const safe = FORMULA.test(cell) || FORMULA.test(plain) || /^[\t\r\n]/.test(cell);
  const text = safe ? `'${plain}` : plain;
  return /[",']|^ | $/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
