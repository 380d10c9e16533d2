/** Where a pattern stands, in words: of "here", "2 before", "before" and "anywhere". */
export function whereText(where: string): string {
  if (where === "here") return "at the position";
  if (where === "before") return "anywhere before the position";
  if (where === "anywhere") return "anywhere in the text";
  const count = Number.parseInt(where, 10);
  return `${count} ${count === 1 ? "token" : "tokens"} before the position`;
}
