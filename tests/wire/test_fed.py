"""The page's header has every token that a model is fed, where positions are some of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from clusterwidget import Examples, Explorer
from clusterwidget.core.watch import Watch
from clusterwidget.wire.fed import fed_tokens
from clusterwidget.wire.replies import reply
from tests.texts import byte_level

TEXTS = ["The keys to the cabinet", "The dog"]


def examples(**how: object) -> Examples:
    return Examples.from_text(byte_level(), TEXTS, **how)  # type: ignore[arg-type]


def test_texts_are_sent_one_after_the_other_and_where_their_positions_are() -> None:
    found = fed_tokens(examples(positions={"noun": ["keys", "dog"], "last": -1}))
    assert found is not None
    tokens, starts, texts, columns = found
    alone = [byte_level().encode(text).ids for text in TEXTS]
    assert [tokens[a:b].tolist() for a, b in pairwise(starts)] == alone
    assert texts.tolist() == [0, 1]
    assert columns.tolist() == [[1, 4], [1, 1]]


def test_a_text_whose_every_token_is_an_example_is_sent_once() -> None:
    found = fed_tokens(examples(positions="every token"))
    assert found is not None
    assert found[1].tolist() == [0, 5, 7]
    assert found[2].tolist() == [0] * 5 + [1] * 2
    assert found[3].ravel().tolist() == [0, 1, 2, 3, 4, 0, 1]


def test_nothing_more_is_sent_where_positions_are_all_tokens() -> None:
    assert fed_tokens(Examples([[1, 2], [3, 4]])) is None


def test_the_reply_has_the_texts_of_all_fed_tokens() -> None:
    own = examples(answers=[" are", " is"])
    ex = Explorer(examples=own, activations={"embed@last": np.zeros((2, 2), np.float32)})
    fields, buffers = reply(ex, {"what": "tokens"}, Watch())
    assert set(fields["vocabulary"].values()) == {
        "The", " keys", " to", " the", " cabinet", " dog", " are", " is"
    }  # fmt: skip
    assert len(buffers) == 1 + fields["answers"] + 4
