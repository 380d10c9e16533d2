type Descriptions = ReadonlyMap<string, string>;

/** Between the names of concepts that divide the examples in the same way, and of several together. */
const BETWEEN = / = | × | and /;

/** What a concept says, or "": of several names, what each says that has a description. */
export function describeConcept(descriptions: Descriptions | undefined, name: string): string {
  const own = descriptions?.get(name);
  if (own !== undefined || !descriptions) return own ?? "";
  return name
    .split(BETWEEN)
    .flatMap((part) => {
      const said = descriptions.get(part);
      return said === undefined ? [] : [`${part}: ${said}`];
    })
    .join("\n");
}
