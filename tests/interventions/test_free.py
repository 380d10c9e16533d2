"""The model's own answers fed back, and examples that name no answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from clusterwidget import Answer, Examples, Explorer, addition
from clusterwidget.addition.arithmetic import FIRST_ANSWER


def with_answers(tokens: np.ndarray) -> Examples:
    """Return examples whose last four tokens are the answers at the positions before them."""
    answers = [Answer(name, name, tokens[:, 3 + at]) for at, name in enumerate("cdef")]
    return Examples(tokens, positions=list("abcdefg"), answers=answers)


@pytest.fixture
def told(examples: Examples) -> Examples:
    return with_answers(examples.tokens)


def by_hand(
    model: Any, row: np.ndarray, first: int, put: Any, name: str, *, free: bool
) -> list[str]:
    """Return the answers from a position on, one run after another on what was said so far."""
    tokens, said = row[: first + 1].tolist(), []
    for following in [*row[first + 1 :].tolist(), None]:
        with torch.no_grad():
            logits = model.run_with_hooks(torch.as_tensor([tokens]), fwd_hooks=[(name, put)])
        said.append(int(logits[0, -1].argmax()))
        tokens.append(said[-1] if free else following)
    return [str(token) for token in said]


def putting(value: torch.Tensor | None, column: int) -> Any:
    def put(activation: torch.Tensor, hook: Any) -> torch.Tensor:
        changed = activation.clone()
        if value is not None and changed.shape[1] > column:
            changed[:, column] = value
        return changed

    return put


@pytest.mark.parametrize("free", [False, True])
def test_a_swap_goes_on_as_the_model_does_by_itself(
    native_model: Any, told: Examples, free: bool
) -> None:
    explorer = Explorer(native_model, told)
    written = torch.as_tensor(explorer.matrix("L0.mlp_out@d"))
    name, differ = "blocks.0.hook_mlp_out", 0
    for receiver in range(12):
        donor, row = receiver + 30, told.tokens[receiver]
        found = explorer.swap("L0.mlp_out@d", receiver, donor, free=free)
        put, leave = putting(written[donor], 3), putting(None, 3)
        # The last token is an answer itself: what would follow it is not asked for.
        expected = by_hand(native_model, row, 2, put, name, free=free)[:-1]
        assert found.table["after"].tolist() == expected
        before = by_hand(native_model, row, 2, leave, name, free=free)[:-1]
        assert found.table["before"].tolist() == before
        assert found.table["reached"].tolist() == [False, True, True, True]
        assert (found.free, str(found)) == (free, " ".join(expected))
        differ += expected != by_hand(native_model, row, 2, put, name, free=not free)[:-1]
    assert differ >= 10


def test_the_adder_reads_its_digits_from_the_problem(adder: Any) -> None:
    explorer = Explorer(adder, addition.problems(60, seed=4))
    tokens = explorer.examples.tokens
    written = torch.as_tensor(explorer.matrix("L0.resid_post@S4"))
    first = FIRST_ANSWER
    for receiver in range(8):
        put = putting(written[receiver + 30], first + 1)
        found = explorer.swap("L0.resid_post@S4", receiver, receiver + 30, free=True)
        expected = by_hand(
            adder, tokens[receiver], first, put, "blocks.0.hook_resid_post", free=True
        )
        assert found.table["after"].tolist() == expected


def test_a_free_swap_test_counts_what_free_swaps_answer(
    native_model: Any, examples: Examples
) -> None:
    told = with_answers(examples.tokens[:20])
    explorer = Explorer(native_model, told)
    test = explorer.swap_test("L0.mlp_out@d", pairs=20, free=True)
    own = [
        explorer.swap("L0.mlp_out@d", row, row, free=True).table["after"].tolist()
        for row in range(20)
    ]
    right = told.tokens[:, 3:].astype(str) == np.array(own)
    for at, answer in enumerate("def"):
        bars = test.bars(answer)
        assert bars["right_without"].iloc[0] == pytest.approx(right[:, at + 1].mean())
    near = [explorer.neighbors("L0.mlp_out@d", row, 1)["example"].iloc[0] for row in range(20)]
    swapped = [
        explorer.swap("L0.mlp_out@d", row, int(donor), free=True).table["after"].tolist()
        for row, donor in enumerate(near)
    ]
    right = told.tokens[:, 3:].astype(str) == np.array(swapped)
    for at, answer in enumerate("def"):
        found = test.bars(answer).loc["nearest", "right"]
        assert found == pytest.approx(right[:, at + 1].mean())


def test_answers_that_are_no_part_of_the_input_cannot_be_fed_back(
    native_model: Any, examples: Examples
) -> None:
    with pytest.raises(ValueError, match=r"no answer is followed by itself.*leave free=True out"):
        Explorer(native_model, examples).swap("L0.attn_out@c", 0, 1, free=True)
    elsewhere = Answer("x", "c", (examples.tokens[:, 3] + 1) % 48)
    asked = Examples(examples.tokens, positions=examples.positions, answers=[elsewhere])
    with pytest.raises(ValueError, match="no answer is followed by itself"):
        Explorer(native_model, asked).swap_test("L0.attn_out@c", pairs=4, free=True)


def test_without_answers_the_next_token_is_asked_for_and_the_models_own_is_right(
    native_model: Any, examples: Examples
) -> None:
    explorer = Explorer(native_model, examples)
    logits = explorer.matrix("logits@g").astype(np.float64)
    own, donors = logits.argmax(axis=1), logits[9]
    row = explorer.swap("L1.resid_post@g", 4, 9).table.iloc[0]
    assert (row["answer"], row["title"], row["right"]) == ("next", "next", str(own[4]))
    assert row["after"] == str(donors.argmax())
    test = explorer.swap_test("L1.resid_post@g", pairs=60)
    assert (test.answer, test.concept) == ("next", None)
    bars = test.bars("next")
    assert list(bars.index) == ["nearest", "near", "random", "mean"]
    assert (bars["right_without"] == 1).all()
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    nearest = [explorer.neighbors("L1.resid_post@g", i, 1)["example"].iloc[0] for i in range(60)]
    # At the last stage the nearest neighbor's own logits are what is answered.
    expected = -np.log(shares[nearest, own]).mean()
    assert bars.loc["nearest", "loss"] == pytest.approx(expected, rel=1e-5)
    same = (own[nearest] == own).mean()
    assert bars.loc["nearest", "right"] == pytest.approx(same)
    assert bars["right_constant"].iloc[0] == pytest.approx(np.bincount(own).max() / 60)
