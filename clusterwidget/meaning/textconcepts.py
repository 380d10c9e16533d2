"""Concepts that come by themselves with texts: the token, the one before it, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.checks import names, shown, whole
from clusterwidget.core.examples import Examples
from clusterwidget.core.inputs import Inputs
from clusterwidget.core.stages import Stage, StageRow, StageSet
from clusterwidget.core.tokenkinds import is_capital, kind_of
from clusterwidget.core.watch import Cancelled, Progress, Watch
from clusterwidget.model.hooks import Model, check_inputs, is_causal
from clusterwidget.model.lazy import LazyModel

MOST_TOKENS = 200
"""Different tokens that a concept tells apart; rarer ones are missing, as are those found once."""

_FEW = 4
_BEFORE, _HERE = "before", "here"
_DESCRIPTIONS = {
    "token": "The token{at}; rare ones have none.",
    "previous token": "The token before the one{at}; rare ones have none.",
    "place": "How many tokens there are before the one{at}.",
    "capital": "Whether the first letter of the token{at} is a capital.",
    "character": "What kind of character the token{at} begins with.",
    "next token": "The token that the model holds to be the likeliest after the one{at}.",
    "next surprise": "Surprise of that likeliest token, −ln p in nats: how unsure the model is.",
    "surprise": "Surprise of the token{at} after those before it, −ln p in nats.",
}

Column = npt.NDArray[Any]


def text_concepts(
    examples: Examples,
    model: Any = None,
    *,
    positions: str | Iterable[str] | None = None,
    batch_size: int | None = None,
    progress: Progress | Watch | None = None,
    cancelled: Cancelled | None = None,
) -> Examples:
    """Return examples with concepts that need nobody to make a table of them.

    At a position of each example: its ``token``, the ``previous token``, its ``place`` (how many
    tokens come before it), whether it is ``capital``, and what kind of ``character`` it begins
    with: letter, digit, punctuation, space or special. With a causal model also the ``next token``
    that it holds to be the likeliest, the ``next surprise`` of that token and the ``surprise`` of
    the token itself after those before it, −ln p in nats; these two are numbers, and group
    examples by ranges.

    What is the same for all is not added, and what is called as a concept that the examples have
    is left as it is. Of tokens the 200 most frequent are told apart that occur twice or more.

    Parameters
    ----------
    examples : Examples
    model : Model or function of no arguments, optional
        Run once on all examples. A bidirectional model has no next token: nothing is added of it.
    positions : str or iterable of str, optional
        Where tokens are looked at. By default at all positions where there are four or fewer, and
        otherwise at the last. With several, names say where: ``token@subject``.
    batch_size : int, optional
        As in `Explorer`.
    progress, cancelled
        As in `Explorer.capture`.

    Raises
    ------
    TypeError, ValueError
        For what are no examples and no positions of theirs, and for a model that cannot read them.

    See Also
    --------
    Explorer.shared_texts : what near texts share, found in the texts themselves.
    Examples.with_concept : a concept of your own.

    Examples
    --------
    >>> words = ["the", "cat", "dog", "Sat", "ran"]
    >>> rows = [[0, 1, 3], [0, 2, 3], [0, 1, 4], [0, 2, 4]]
    >>> texts = cw.text_concepts(cw.Examples(rows, vocabulary=words), positions="2")
    >>> texts.concepts["previous token"].tolist()
    ['cat', 'dog', 'cat', 'dog']
    >>> texts.concepts["capital"].tolist()
    [True, True, False, False]
    """
    if not isinstance(examples, Examples):
        raise TypeError(f"text_concepts needs Examples, not {shown(examples)}.")
    if batch_size is not None:
        whole("batch_size", batch_size, least=1)
    chosen = _positions(examples, positions)
    watch = Watch.of(progress, cancelled)
    added: dict[str, tuple[Column, str]] = {}
    for position in chosen:
        found = _of_tokens(examples, position)
        if model is not None:
            found |= _of_model(examples, model, position, batch_size, watch)
        for name, column in found.items():
            if pd.Series(column).nunique() < 2:
                continue
            named = f"{name}@{position}" if len(chosen) > 1 else name
            if named not in examples.concepts.columns:
                added[named] = column, _DESCRIPTIONS[name].format(at=f" at {position}")
    for name, (column, said) in added.items():
        family = name.partition("@")[0]
        examples = examples.with_concept(name, column, family=family, description=said)
    return examples


def _positions(examples: Examples, positions: Any) -> list[str]:
    known = examples.positions
    if positions is None:
        return list(known) if len(known) <= _FEW else [known[-1]]
    found = list(dict.fromkeys(names("positions", positions, known)))
    if not found:
        raise ValueError(
            f"no position is named by {shown(positions)}: name one, or leave positions out."
        )
    return found


def _of_tokens(examples: Examples, position: str) -> dict[str, Column]:
    """Return what is known of the tokens at a position without a model."""
    inputs, at = examples.inputs, _indexes(examples, position)
    here, before = _tokens_at(inputs, at), _tokens_at(inputs, at - 1)
    texts = {token: examples.token_text(token) for token in {*here, *before} if token is not None}
    vocabulary = examples.vocabulary
    return {
        "token": _frequent(here, texts),
        "previous token": _frequent(before, texts),
        "place": _column([int(place) if place >= 0 else None for place in at]),
        "capital": _column([None if t is None else is_capital(texts[t]) for t in here]),
        "character": _column(
            [None if t is None else kind_of(t, texts[t], vocabulary) for t in here]
        ),
    }


def _indexes(examples: Examples, position: str) -> npt.NDArray[np.int64]:
    """Return the index of each example's token at a position, -1 where it has none there."""
    inputs = examples.inputs
    at = np.asarray(inputs.at(examples.positions.index(position)), np.int64)
    return np.where(at < inputs.sizes, at, -1)


def _tokens_at(inputs: Inputs, at: npt.NDArray[np.int64]) -> list[int | None]:
    tokens = inputs.tokens[np.arange(len(at)), np.maximum(at, 0)].tolist()
    return [token if there else None for token, there in zip(tokens, at >= 0, strict=True)]


def _frequent(tokens: Sequence[int | None], texts: dict[int, str]) -> Column:
    """Return the texts of tokens, None for those that are found once and for rare ones."""
    found = pd.Series([None if token is None else texts[token] for token in tokens], dtype=object)
    counts = found.value_counts()
    kept = set(counts[counts > 1].index[:MOST_TOKENS])
    return _column([text if text in kept else None for text in found])


def _column(values: Sequence[Any]) -> Column:
    """Return values as they are, None among them: an array of objects where some are missing."""
    if any(value is None for value in values):
        return np.array(values, object)
    return np.asarray(values)


def _of_model(
    examples: Examples, model: Any, position: str, batch_size: int | None, watch: Watch
) -> dict[str, Column]:
    """Return what a causal model says at a position; nothing for others."""
    inputs, at = examples.inputs, _indexes(examples, position)
    lazy = LazyModel(model, lambda known: _stages(known, inputs))
    known = lazy.get(watch)
    if not is_causal(known):
        return {}
    # After the model is loaded: torch takes long to import.
    from clusterwidget.model.capture import stream

    columns = np.stack([at - 1, at], axis=1)
    n = len(examples)
    likeliest, unsure, surprise = np.zeros(n, np.int64), np.full(n, np.nan), np.full(n, np.nan)
    own = inputs.tokens[np.arange(n), np.maximum(at, 0)]

    def consume(stage: Stage, start: int, rows: Any) -> None:
        logs = rows.float().log_softmax(dim=-1).cpu().numpy()
        part = slice(start, start + len(logs))
        each = np.arange(len(logs))
        if stage.position == _HERE:
            likeliest[part] = logs.argmax(axis=1)
            unsure[part] = -logs[each, likeliest[part]]
        else:
            surprise[part] = -logs[each, own[part]]

    stages = _stages(known, inputs)
    # Only as much as is needed is run, which is known of positions that are columns: as many
    # columns as tokens, the last two of which are looked at.
    columns = np.pad(np.maximum(columns, 0), ((0, 0), (max(inputs.width, 2) - 2, 0)))
    run = Inputs(inputs.tokens, inputs.lengths, columns)
    with watch.bar(n) as bar:
        stream(known, run, stages.select(), stages, consume, batch_size=batch_size, watch=bar)
    there = at >= 0
    texts = {int(token): examples.token_text(int(token)) for token in np.unique(likeliest)}
    answered = [int(t) if ok else None for t, ok in zip(likeliest, there, strict=True)]
    return {
        "next token": _frequent(answered, texts),
        "next surprise": np.where(there, unsure, np.nan),
        "surprise": np.where(at > 0, surprise, np.nan),
    }


def _stages(model: Model, inputs: Inputs) -> StageSet:
    """Return the logits before and at a position."""
    check_inputs(model, inputs)
    width = int(getattr(model.cfg, "d_vocab_out", None) or model.cfg.d_vocab)
    spare = max(inputs.width, 2) - 2
    names = (*map(str, range(spare)), _BEFORE, _HERE)
    return StageSet([StageRow("logits", None, None, (*[0] * spare, width, width))], names)
