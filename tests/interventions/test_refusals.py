"""What cannot be done is refused in words that say what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clusterwidget import Answer, Examples, Explorer, Stage

LENGTH = 7


@pytest.fixture
def explorer(native_model: Any, examples: Examples) -> Explorer:
    asked = Examples(
        examples.tokens,
        positions=examples.positions,
        concepts={
            "parity": examples.tokens[:, 0] % 2,
            "constant": np.ones(60, int),
            "first": examples.tokens[:, 0],
            "own": np.arange(60),
        },
        answers=[
            Answer("first", "c", examples.tokens[:, 3]),
            Answer("second", "e", examples.tokens[:, 5]),
        ],
    )
    return Explorer(native_model, asked)


@pytest.mark.parametrize(
    ("receiver", "donor", "error", "message"),
    [
        ([1, 2, 3], [1, 2], ValueError, "the receiver has 3 tokens and the donor 2"),
        ([1, 2, 3], [4, 5, 6], ValueError, "the rows have 3 tokens and the examples 7"),
        (0, [1] * 8, ValueError, "the receiver has 7 tokens and the donor 8"),
        ([99] * 7, 0, ValueError, "token 99 is not in the model's vocabulary of 50"),
        (0, [1, 2, 3, -4, 5, 6, 7], ValueError, "tokens must not be negative, but -4 occurs"),
        (60, 0, IndexError, "no example 60: indices run from 0 to 59"),
        (0, -1, IndexError, "no example -1"),
        (1.5, 0, TypeError, "chosen by its index, a whole number, not by 1.5"),
        ("3", 0, TypeError, "chosen by its index"),
        ([0.5] * 7, 0, TypeError, "index of an example or one row of tokens"),
        ([[1] * 7], 0, TypeError, "index of an example or one row of tokens"),
    ],
)
def test_a_swap_of_what_does_not_fit_is_refused(
    explorer: Explorer, receiver: Any, donor: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        explorer.swap("L0.attn_out@c", receiver, donor)


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("logits@c", r"the logits are the answer itself. Choose L1.resid_post@c"),
        ("L1.resid_post@f", r"L1.resid_post@f comes after the last answer, 'second'"),
        ("L2.resid_post@c", "there is no stage 'L2.resid_post@c' here"),
        ("L1.resid_pots@c", "there is no kind 'resid_pots'; the nearest is 'resid_post'"),
        ("L1H0.z@q", "No position is called 'q'"),
    ],
)
def test_a_stage_that_cannot_be_swapped_is_refused_by_all_that_swap(
    explorer: Explorer, stage: str, message: str
) -> None:
    for ask in (
        lambda: explorer.swap(stage, 0, 1),
        lambda: explorer.swap_test(stage, pairs=4),
        lambda: explorer.swap_tests([stage], pairs=4),
        lambda: explorer.ablate(stage, 0),
    ):
        with pytest.raises(ValueError, match=message):
            ask()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"answer": "secnod"},
            "no answer 'secnod'. Did you mean 'second'. There are first, second",
        ),
        ({"concept": "partiy"}, "no concept 'partiy'. Did you mean 'parity'?"),
        ({"concept": "constant"}, "constant is dropped: it is 1 for every example.*choose another"),
        ({"concept": "parity = first"}, "no concept 'parity = first'. Did you mean 'parity'?"),
        ({"concept": "own"}, "'own' is different for every example"),
        ({"pairs": 0}, "pairs must be a whole number of at least 2, not 0"),
        ({"pairs": 2.5}, "not 2.5"),
        ({"pairs": True}, "not True"),
    ],
)
def test_a_swap_test_of_what_is_not_there_is_refused(
    explorer: Explorer, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        explorer.swap_test("L0.attn_out@c", **{"pairs": 4, **arguments})


def test_the_verdict_can_only_be_on_an_answer_that_the_stage_reaches(explorer: Explorer) -> None:
    for _ in range(2):
        with pytest.raises(
            ValueError, match=r"after the answer 'first' has been read: .* It reaches sec"
        ):
            explorer.swap_test("L0.attn_out@e", "first", "parity", pairs=4)
        assert explorer.swap_test("L0.attn_out@e", concept="parity", pairs=4).answer == "second"


@pytest.mark.parametrize(
    ("what", "arguments", "message"),
    [
        ("L0.attn_out@c", {"method": "zeros"}, "'resample', 'zero', 'drop', not 'zeros'"),
        ("L0H1.pattern@c", {"method": "zero"}, "after a softmax.*ablate L0H1.z@c instead"),
        ("embed@c -> L0.mlp_out@c", {"method": "zero"}, "is an edge: method=.zero. is of stages"),
        ("L0.attn_out@c", {"method": "drop"}, "L0.attn_out@c is not one attention edge"),
        ("embed@c -> L0.mlp_out@c", {"method": "drop"}, "is not one attention edge"),
        ("embed@c -> L0H1.result@c", {"renormalize": True}, 'goes with method="drop"'),
        ("L0.attn_out@c", {"method": "resample", "draws": 0}, "draws must be a whole number"),
        (
            "L0.attn_out@c",
            {"draws": 1.5},
            "draws must be a whole number from 1 to 100,000, not 1.5",
        ),
        ([], {}, r"no edge is given, \[\]: name at least one to cut"),
        (
            [Stage("embed", position="a"), "embed@a -> L0H1.result@c"],
            {},
            "embed.*is a stage, and there are edges beside it",
        ),
        ("embed@f -> L0.mlp_out@f", {}, "L0.mlp_out@f comes after the last answer"),
        ("embed@a -> L0H1.result@a", {"method": "drop", "renormalize": True}, "nothing to renorm"),
    ],
)
def test_an_ablation_that_makes_no_sense_is_refused(
    explorer: Explorer, what: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        explorer.ablate(what, 0, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"answer": "frist"}, "no answer 'frist'. Did you mean 'first'?"),
        ({"method": "drop"}, "method must be one of 'resample', 'mean', not 'drop'"),
        ({"draws": 0}, "draws must be a whole number from 1 to 100,000, not 0"),
        ({"threshold": 1.0}, "threshold must be from 0 up and below 1, not 1.0"),
        ({"threshold": float("nan")}, "threshold must be"),
        ({"least": -0.1}, "least must be a number from 0 to 1, not -0.1"),
    ],
)
def test_a_trace_that_makes_no_sense_is_refused(
    explorer: Explorer, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        explorer.trace(**{"example": 0, "answer": "first", **arguments})
    with pytest.raises(IndexError, match="no example 60"):
        explorer.trace(60, "first")


def test_without_a_model_it_is_said_how_to_give_one() -> None:
    rows = np.random.default_rng(0).standard_normal((6, 3))
    examples = Examples(np.arange(6)[:, None], concepts={"c": [0, 0, 0, 1, 1, 1]})
    explorer = Explorer(examples=examples, activations={"L0.attn_out@0": rows})
    for ask in (
        lambda: explorer.swap("L0.attn_out@0", 0, 1),
        lambda: explorer.ablate("L0.attn_out@0", 0),
        lambda: explorer.trace(0, "next"),
        lambda: explorer.swap_test("L0.attn_out@0"),
        lambda: explorer.swap_tests(),
        lambda: explorer.swap_tests(["L0.attn_out@0"]),
    ):
        with pytest.raises(ValueError, match=r"cw.open\(path, model=model\), or make Explorer\(mo"):
            ask()
