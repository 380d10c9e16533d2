/** Characters that are not seen, or that change how others are: controls, marks of direction, halves of pairs. */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]|\p{Surrogate}/gu;

/** A text on one line, in which everything is seen as it is: what is not is replaced by a sign. */
export function plainText(text: string): string {
  return text.replace(/\s+/g, " ").replace(UNSEEN, "\ufffd");
}

/** A name for a file on any system: letters, digits and a few signs. */
export function fileName(...parts: readonly string[]): string {
  const name = parts
    .join("-")
    .replace(/[^A-Za-z0-9._+=@-]+/g, "_")
    .slice(0, 80)
    .replace(/^[._-]+|[._-]+$/g, "");
  return name === "" ? "figure" : name;
}
