import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from clusterwidget import addition
from clusterwidget.addition import arithmetic

CHAINS = [(0, 0), (9999, 1), (1, 9999), (9999, 9999), (4999, 5001), (5000, 4999), (990, 10)]


def some_numbers() -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(5)
    left, right = rng.integers(10_000, size=(2, 500)).tolist()
    return [*left, *(a for a, _ in CHAINS)], [*right, *(b for _, b in CHAINS)]


def schoolbook(left: int, right: int) -> dict[str, int]:
    """All concepts, column by column with a carry in hand, the way it is taught."""
    found: dict[str, int] = {}
    carry = 0
    for i in range(4):
        a, b = int(f"{left:04}"[3 - i]), int(f"{right:04}"[3 - i])
        found |= {f"L{i}": a, f"R{i}": b, f"L{i}+R{i}": a + b, f"(L{i}+R{i})%10": (a + b) % 10}
        found |= {f"makes{i + 1}": int(a + b >= 10), f"nine{i}": int(a + b == 9)}
        found[f"S{i}"] = (a + b + carry) % 10
        carry = (a + b + carry) // 10
        found[f"carry{i + 1}"] = carry
    found["S4"] = carry
    return found


def test_a_problem_becomes_fourteen_tokens() -> None:
    examples = addition.from_numbers(1234, 5678)
    assert examples.tokens.tolist() == [[1, 2, 3, 4, 10, 5, 6, 7, 8, 11, 0, 6, 9, 1]]
    assert examples.labels == ["1234+5678=06912"]
    assert [examples.token_text(token) for token in (0, 9, 10, 11)] == ["0", "9", "+", "="]


def test_tokens_spell_the_label() -> None:
    examples = addition.from_numbers(*some_numbers())
    for row, label in zip(examples.tokens, examples.labels, strict=True):
        assert "".join(examples.token_text(int(token)) for token in row) == label[:-1]


def test_answers_are_the_digits_of_the_sum_each_read_one_position_before() -> None:
    left, right = some_numbers()
    examples = addition.from_numbers(left, right)
    assert {name: answer.position for name, answer in examples.answers.items()} == {
        "S4": "=",
        "S3": "S4",
        "S2": "S3",
        "S1": "S2",
        "S0": "S1",
    }
    spelled = zip(*(answer.tokens for answer in examples.answers.values()), strict=True)
    sums = [int("".join(map(str, digits))) for digits in spelled]
    assert sums == [a + b for a, b in zip(left, right, strict=True)]


def test_concepts_agree_with_schoolbook_addition() -> None:
    left, right = some_numbers()
    found = addition.from_numbers(left, right).concepts.to_dict("records")
    assert found == [schoolbook(a, b) for a, b in zip(left, right, strict=True)]


def test_concepts_come_in_the_documented_order() -> None:
    columns = " ".join(addition.from_numbers(1, 2).concepts.columns)
    assert columns == (
        "L0 L1 L2 L3 R0 R1 R2 R3 S0 S1 S2 S3 S4 L0+R0 L1+R1 L2+R2 L3+R3 "
        "(L0+R0)%10 (L1+R1)%10 (L2+R2)%10 (L3+R3)%10 carry1 carry2 carry3 carry4 "
        "makes1 makes2 makes3 makes4 nine0 nine1 nine2 nine3"
    )


def test_a_carry_runs_through_a_chain_of_nines() -> None:
    found = addition.from_numbers(9999, 1).concepts.iloc[0]
    assert found[["carry1", "carry2", "carry3", "carry4"]].tolist() == [1, 1, 1, 1]
    assert found[["makes1", "makes2", "makes3", "makes4"]].tolist() == [1, 0, 0, 0]
    assert found[["nine0", "nine1", "nine2", "nine3"]].tolist() == [0, 1, 1, 1]


def test_every_position_but_those_before_the_sum_is_arranged_by_its_column() -> None:
    axes = addition.from_numbers(1, 2).axes
    assert axes["L2"] == axes["R2"] == axes["S3"] == ("L2", "R2")
    assert axes["="] == axes["+"] == axes["S4"] == ("L3", "R3")
    assert axes["S1"] == ("L0", "R0")
    assert set(axes) == set(arithmetic.POSITIONS)


def test_problems_are_distinct_and_the_seed_decides_them() -> None:
    first = addition.problems(5_000, seed=3)
    assert len(set(first.labels)) == len(first) == 5_000
    assert first.labels == addition.problems(5_000, seed=3).labels
    assert first.labels != addition.problems(5_000, seed=4).labels


def test_problems_are_spread_over_all_there_are() -> None:
    digits = addition.problems(20_000).concepts[["L3", "L0", "R3", "R0"]]
    for name in digits:
        shares = digits[name].value_counts(normalize=True)
        assert len(shares) == 10
        assert abs(shares - 0.1).max() < 0.01


@pytest.mark.parametrize("n", [0, -1, 10**8 + 1])
def test_a_number_of_problems_that_there_is_not_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match=rf"n = {n} problems: there are 1 to 100,000,000"):
        addition.problems(n)


@pytest.mark.parametrize(
    "text",
    ["1234+0056", " 1234 + 56 ", "1234+56=", "1234+56=1290", "1234+0056=01290", "1 2 3 4+56\n"],
)
def test_a_typed_problem_is_read(text: str) -> None:
    assert addition.parse(text).labels == ["1234+0056=01290"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No problem was typed"),
        ("  \t", "No problem was typed"),
        ("12a4+5", "'12a4\\+5' is not an addition problem"),
        ("1234", "'1234' is not an addition problem"),
        ("1+2+3", "'1\\+2\\+3' is not an addition problem"),
        ("-1+2", "'-1\\+2' is not an addition problem"),
        ("²+1", "'²\\+1' is not an addition problem"),
        ("12345+1", "12345 in '12345\\+1' has 5 digits"),
        ("1+00001", "00001 in '1\\+00001' has 5 digits"),
    ],
)
def test_what_is_no_problem_is_refused_with_the_way_out(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}.*Type two numbers of up to four digits"):
        addition.parse(text)


def test_a_wrong_sum_is_refused_with_the_right_one() -> None:
    with pytest.raises(ValueError, match=r"1\+2 is 3, not 4\. Leave out what follows '='"):
        addition.parse("1+2=4")


def test_examples_parse_what_is_typed() -> None:
    parse = addition.problems(2).parse
    assert parse is not None
    assert parse("7+8").labels == ["0007+0008=00015"]


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="10000 on the right is not from 0 to 9999"):
        addition.from_numbers([1, 2], [3, 10_000])
    with pytest.raises(ValueError, match="2 numbers on the left and 1 on the right"):
        addition.from_numbers([1, 2], [3])
    with pytest.raises(TypeError, match="on the left must be integers, not float64"):
        addition.from_numbers([1.5], [3])
    with pytest.raises(ValueError, match=r"one row, not shape \(1, 1\)"):
        addition.from_numbers([[1]], [3])


def test_columns_are_drawn_uniformly_from_their_class() -> None:
    classes = np.repeat([[arithmetic.BELOW, arithmetic.NINE, arithmetic.ABOVE, 1]], 5_000, axis=0)
    left, right = arithmetic.draw_columns(classes, np.random.default_rng(0))
    pairs = np.stack([arithmetic.digits(left), arithmetic.digits(right)], axis=-1)
    sums = pairs.sum(-1)
    assert sums[:, 0].max() == 8
    assert (sums[:, [1, 3]] == 9).all()
    assert sums[:, 2].min() == 10
    assert [len(np.unique(pairs[:, column], axis=0)) for column in range(4)] == [45, 10, 45, 10]


def test_problems_need_no_torch() -> None:
    code = (
        "import sys, clusterwidget as cw; cw.addition.problems(3); cw.addition.parse('1+1');"
        "sys.exit(bool({'torch', 'transformer_lens'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("make", "arguments", "error", "message"),
    [
        (addition.problems, (1.5,), TypeError, "n must be a whole number, not 1.5"),
        (addition.problems, (True,), TypeError, "not True"),
        (addition.problems, (3, -1), ValueError, "seed must be .*, not -1"),
        (addition.problems, (3, "a"), TypeError, "seed must be .*, not 'a'"),
        (addition.parse, (3,), TypeError, r"a string such as '1234\+5678', not 3"),
        (addition.parse, ("1+1=" + "9" * 5000,), ValueError, r"1\+1 is 2, not 9{20}…"),
        (addition.from_numbers, (None, 1), TypeError, "not object, None"),
        (addition.from_numbers, ([], []), ValueError, r"no numbers on the left, \[\]"),
        (addition.from_numbers, ([[1], [2, 3]], 1), ValueError, r"not \[\[1\], \[2, 3\]\]"),
        (
            addition.from_numbers,
            (np.ma.array([1, 2], mask=[False, True]), [1, 2]),
            ValueError,
            "on the left: a MaskedArray with 1 masked",
        ),
    ],
)
def test_problems_of_another_kind_are_named(
    make: Callable[..., object], arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(*arguments)


def test_the_sum_may_have_leading_zeros() -> None:
    assert addition.parse("1+1=00002").labels == ["0001+0001=00002"]


def test_every_concept_is_described_in_one_sentence() -> None:
    known = addition.problems(2)
    assert list(known.descriptions) == list(known.concepts.columns)
    for said in known.descriptions.values():
        assert said.endswith("."), said
        assert said.count(".") == 1, said
    assert len(set(known.descriptions.values())) == known.concepts.shape[1]
    assert known.descriptions["carry2"].startswith("1 where a carry comes into the hundreds")
