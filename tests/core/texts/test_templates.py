"""Templates: gaps filled from a table, which has the concepts and the positions too."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from clusterwidget.core.texts.making import Parts, recipe
from clusterwidget.core.texts.templates import Template, TemplateRecipe
from tests.texts import byte_level, hugging_face

WRITTEN = "When {A} and {B} went to the {place}, {B} gave a drink to"
TABLE = pd.DataFrame(
    {"A": ["Mary", "Anna"], "B": ["John", "Tom"], "place": ["store", "park"], "number": [1, 2]}
)


def made(template: Any = WRITTEN, table: Any = TABLE, tokenizer: Any = None, **how: Any) -> Parts:
    own = recipe(tokenizer or byte_level(), how.pop("prepend_bos", None), None, None)
    return TemplateRecipe(own, Template(template)).parts(table, **how)


def at_columns(parts: Parts, row: int) -> dict[str, str]:
    tokens = parts["tokens"][row]
    texts = [byte_level().decode([tokens[column]]) for column in parts["columns"][row]]
    return dict(zip(parts["positions"], texts, strict=True))


def test_columns_are_concepts_and_gaps_are_positions() -> None:
    parts = made()
    assert parts["labels"][1] == "When Anna and Tom went to the park, Tom gave a drink to"
    assert at_columns(parts, 0) == {
        "A": " Mary",
        "B": " John",
        "place": " store",
        "B 2": " John",
        "last": " to",
    }
    assert list(parts["concepts"].columns) == ["A", "B", "place", "number"]


@pytest.mark.parametrize("table", [TABLE.to_dict("list"), TABLE.to_dict("records")])
def test_a_table_is_a_mapping_or_rows_as_well(table: Any) -> None:
    assert made(table=table)["labels"] == made()["labels"]


def test_words_of_several_tokens_have_their_position_at_the_last() -> None:
    parts = made("The {noun} is", {"noun": ["Constantinople dog", "dog"]})
    assert at_columns(parts, 0) == {"noun": " dog", "last": " is"}
    assert parts["attention_mask"][1].sum() == 3


def test_all_tokens_are_called_by_their_gap_or_their_own_text() -> None:
    parts = made(positions="all", tokenizer=hugging_face(), prepend_bos=True)
    assert " ".join(parts["positions"]) == (
        "<s> When A and B went to the place , B 2 gave a drink to 2"
    )
    assert "columns" not in parts
    long = made("The {noun} is", {"noun": ["dog", "key"]}, positions="all")
    assert long["positions"] == ["The", "noun", "is"]
    with pytest.raises(ValueError, match=r"gaps of 'The dog is the dog' do not begin and end"):
        made("The {a} is {b}", {"a": ["the keys", "dog"], "b": ["dog", "the dog"]}, positions="all")


def test_positions_and_answers_are_filled_in_too() -> None:
    parts = made(positions={"x": "the {place}", "last": -1}, answers={"next": " {A}"})
    assert at_columns(parts, 1) == {"x": " park", "last": " to"}
    assert [byte_level().decode([token]) for token in parts["answers"][0].tokens] == [
        " Mary",
        " Anna",
    ]


def test_an_answer_from_one_column_has_a_rule() -> None:
    from clusterwidget import Examples

    examples = Examples.from_template(
        WRITTEN, TABLE, tokenizer=byte_level(), positions="all", answers=" {A}"
    )
    (rule,) = examples.answers["next"].rule
    assert rule.names == ("A",)
    assert rule.function("Tom") == byte_level().encode(" Tom").ids[0]
    assert made(answers=[" a", " a"])["answers"][0].rule is None


@pytest.mark.parametrize("positions", [None, "all", {"B": "{place}", "last": -1}])
def test_a_typed_text_that_fits_the_template_becomes_an_example(positions: Any) -> None:
    parts = made(positions=positions, answers={"next": " {A}"})
    text = "When Tom and Anna went to the store, Anna gave a drink to"
    typed = parts["parse"](text)
    assert typed["labels"] == [text]
    assert typed["positions"] == parts["positions"]
    assert typed["answers"][0].tokens.tolist() == byte_level().encode(" Tom").ids
    assert typed["concepts"].iloc[0].to_dict() == {"A": "Tom", "B": "Anna", "place": "store"}


def test_what_a_typed_text_does_not_say_is_asked_for() -> None:
    table = {"noun": ["keys", "dog"], "verb": ["are", "is"]}
    parts = made("The {noun} to the cabinet", table, answers=" {verb}")
    with pytest.raises(ValueError, match=r"'verb' of .*'The dog to the cabinet => …'"):
        parts["parse"]("The dog to the cabinet")
    typed = parts["parse"]("The dog to the cabinet => is")
    assert typed["answers"][0].tokens.tolist() == byte_level().encode(" is").ids
    with pytest.raises(ValueError, match=r"'A dog' does not fit the template 'The \{noun}"):
        parts["parse"]("A dog => is")


@pytest.mark.parametrize(
    ("template", "text", "found"),
    [
        ("{a} and {b}", "x and y and z", {"a": "x", "b": "y and z"}),
        ("{a} and {a}", "x and x", {"a": "x"}),
        ("{a} and {a}", "x and y", None),
        ("({a})", "(x))", {"a": "x)"}),
        ("({a})", "(x", None),
        ("{{{a}}}", "{x}", {"a": "x"}),
        ("{a}{b}", "xy", None),
        ("no gap", "no gap", {}),
        ("a{b}", "a", None),
    ],
)
def test_what_fills_the_gaps_is_read_off_a_text(template: str, text: str, found: Any) -> None:
    assert Template(template).read(text) == found


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"template": 3}, TypeError, "the template must be a string, not 3"),
        ({"template": "{A"}, ValueError, "'{A' is no template: .*braces of the text twice"),
        ({"template": "{}"}, ValueError, "the gap '{}' of the template '{}' is not just the name"),
        ({"template": "{A:>3}"}, ValueError, "the gap '{A:>3}'"),
        ({"template": "{A!r}"}, ValueError, "the gap '{A!r}'"),
        ({"template": "{A.__class__}"}, ValueError, "has the gap 'A.__class__', and the table has"),
        ({"table": 3}, TypeError, "the table must be a DataFrame, .* not 3"),
        ({"table": []}, ValueError, r"the table has no row, \[\]"),
        ({"table": {"A": [1], "B": [1, 2]}}, ValueError, r"of one length, not {'A': 1, 'B': 2}"),
        (
            {"table": TABLE.assign(B=pd.Series(["x", None]))},
            ValueError,
            "row 1 has nothing in the column 'B'",
        ),
        ({"table": TABLE.assign(B=["", "x"])}, ValueError, "row 0 has '' in the column 'B'"),
        ({"answers": " {C}"}, ValueError, r"the answer 'next' is ' {C}', and the table has"),
        ({"answers": "{place}"}, ValueError, "of text 0, 'store', is 2 tokens"),
        ({"positions": {"x": "{C}"}}, ValueError, "the position 'x' is '{C}', and the table has"),
        ({"positions": {"x": "{B}"}}, ValueError, "'John' is in text 0, .*more than once"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(
    how: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        made(**how)
