"""Typed: a text as a person types it, with what cannot be found in the text itself.

``The keys to the cabinet => subject: keys; next: are``
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clusterwidget.core.checks import text

ARROW = "=>"


@dataclass(frozen=True)
class Typed:
    """A text that was typed, and what was said of it.

    Attributes
    ----------
    text : str
    said : dict of str to str
    """

    text: str
    said: dict[str, str]


def typed(written: str, known: Sequence[str]) -> Typed:
    """Return a typed text apart from what is said of it after an arrow.

    What is said is ``name: value``, parted by semicolons; where one name is known, its value alone.

    Raises
    ------
    ValueError
        For a name that is not among `known`.
    """
    whole = text("a typed text", written)
    before, arrow, after = whole.rpartition(ARROW)
    if not arrow or not known:
        return Typed(whole, {})
    said = {}
    for part in after.split(";"):
        if len(known) == 1 and not part.strip().startswith(known[0] + ":"):
            said[known[0]] = _value(after)
            break
        name, colon, value = part.partition(":")
        if not colon or name.strip() not in known:
            raise ValueError(
                f"after {ARROW} stands {part.strip()!r}: write name: value, parted by semicolons, "
                f"of {', '.join(known)}."
            )
        said[name.strip()] = _value(value)
    return Typed(before.rstrip(), said)


def missing(found: Typed, positions: Sequence[str], answers: Sequence[str]) -> None:
    """Raise ValueError where something is neither said nor can be found, with what to type."""
    lacking = [
        f"{kind} {name!r}"
        for kind, names in (("the position", positions), ("the answer", answers))
        for name in names
        if not found.said.get(name)
    ]
    if lacking:
        names = [*positions, *answers]
        example = "…" if len(names) == 1 else "; ".join(f"{name}: …" for name in names)
        raise ValueError(
            f"{' and '.join(lacking)} of {found.text!r} {'is' if len(lacking) == 1 else 'are'} not "
            f"known: type it as {found.text + ' ' + ARROW + ' ' + example!r}."
        )


def _value(said: str) -> str:
    """Return what is said: between quotes as it is, and otherwise without spaces around it."""
    bare = said.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"":
        return bare[1:-1]
    return bare
