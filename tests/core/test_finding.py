from __future__ import annotations

import numpy as np
import pytest

from clusterwidget import Examples
from clusterwidget.core.finding import find_example, parsed_example

TOKENS = np.array([[1, 2], [3, 4], [1, 2]])


def read(text: str) -> Examples:
    return Examples([[int(part) for part in line.split()] for line in text.split(";")])


def test_an_example_is_found_by_its_label_whatever_its_case() -> None:
    examples = Examples(TOKENS, labels=["Ab", "Cd", "ab"])
    assert find_example(examples, " cD ") == 1
    assert find_example(examples, "AB") == 0
    assert find_example(examples, "ef") is None


def test_an_example_that_is_read_is_found_by_its_tokens() -> None:
    examples = Examples(TOKENS, parse=read)
    assert find_example(examples, "3  4") == 1
    assert find_example(examples, "4 3") is None


def test_what_is_no_text_or_not_one_example_is_refused() -> None:
    examples = Examples(TOKENS, parse=read)
    with pytest.raises(TypeError, match="by its text, a string, not by 3"):
        find_example(examples, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'1 2;3 4' was read as 2 examples: type one"):
        parsed_example(examples, "1 2;3 4")
    other = Examples(TOKENS, parse=lambda _: [1, 2])  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="parse must return Examples, not list, for '1 2'"):
        parsed_example(other, "1 2")
