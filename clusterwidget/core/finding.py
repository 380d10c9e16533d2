"""Finding: the example that a person typed, among those that are there or as a new one."""

from __future__ import annotations

from clusterwidget.core.examples import Examples


def find_example(examples: Examples, text: str) -> int | None:
    """Return the index of the first example that a text stands for, or None.

    With ``examples.parse`` by its tokens, otherwise by its label, whatever its case.

    Raises
    ------
    TypeError
        For what is no text.
    ValueError
        From ``examples.parse``, where the text stands for no example.
    """
    if not isinstance(text, str):
        raise TypeError(f"an example is found by its text, a string, not by {text!r}.")
    if examples.parse is None:
        wanted = text.strip().casefold()
        labels = [label.casefold() for label in examples.labels]
        return labels.index(wanted) if wanted in labels else None
    same = examples.inputs.equal_to(parsed_example(examples, text).inputs)
    return int(same[0]) if len(same) else None


def parsed_example(examples: Examples, text: str) -> Examples:
    """Return the one example that ``examples.parse`` makes of a text."""
    assert examples.parse is not None
    parsed = examples.parse(text)
    if not isinstance(parsed, Examples):
        raise TypeError(f"parse must return Examples, not {type(parsed).__name__}, for {text!r}.")
    if len(parsed) != 1:
        raise ValueError(f"{text!r} was read as {len(parsed)} examples: type one.")
    return parsed
