import type { ComponentChildren } from "preact";
import type { Exploration } from "../../state/exploration";
import { describeConcept } from "../../words/concept";
import { TERMS, type TermName } from "../../words/terms";

interface Props {
  readonly name: TermName;
  /** What is written, where that is not the term itself. */
  readonly children?: ComponentChildren;
}

/** A term with a dotted line under it: the pointer, a press or the keyboard brings up what it means. */
export function Term({ name, children }: Props) {
  return (
    <button type="button" class="cw-term" data-tip={TERMS[name]}>
      {children ?? name}
    </button>
  );
}

/** A concept's name, which says what it means where it has a description. */
export function ConceptName({ exploration, name }: { exploration: Exploration; name: string }) {
  const said = describeConcept(exploration.contents.value?.descriptions, name);
  if (said === "") return <>{name}</>;
  return (
    <button type="button" class="cw-term" data-concept-name={name} data-tip={said}>
      {name}
    </button>
  );
}
