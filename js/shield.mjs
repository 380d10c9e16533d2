// Host pages style bare elements inside their outputs (`div.output_area svg { height: auto }`); no class of ours
// outranks all of those rules. `:not(#_)` matches every element and counts as an id: with it on each of our
// selectors the figure's rules keep their order among themselves and win over every host's.

const RANK = ":not(#_)";

/** Adds an id's rank to every selector of a style sheet without nested rules. */
export function shield(css) {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/([^{};]+)\{/g, (whole, prelude) =>
      prelude.trim().startsWith("@") ? whole : `${splitSelectors(prelude).map(ranked).join(",")}{`,
    );
}

/** Selectors of a list; commas inside parentheses are theirs. */
function splitSelectors(list) {
  return list.split(/,(?![^()]*\))/).map((selector) => selector.trim());
}

/** Before a pseudo-element, which is last. */
function ranked(selector) {
  const at = selector.indexOf("::");
  return at < 0 ? selector + RANK : selector.slice(0, at) + RANK + selector.slice(at);
}
