"""What a model is fed, for the page's header: all tokens, where positions are only some of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clusterwidget.core.examples import Examples

_MOST_TOKENS = 4_000_000
"""Tokens that are sent at most; of more, the page has those at the positions."""

Ints = npt.NDArray[np.int64]


def fed_tokens(examples: Examples) -> tuple[Ints, Ints, Ints, Ints] | None:
    """Return the tokens of all texts, and where examples are in them; None where there is no need.

    Where positions are all the tokens, these are sent anyway. Examples that are tokens of one text
    after another share it.

    Returns
    -------
    tokens : numpy.ndarray, shape (M,)
        Of one text after the other, without padding.
    starts : numpy.ndarray, shape (U + 1,)
        Where each text starts in them, and the end of the last.
    texts : numpy.ndarray, shape (N,)
        Which text an example is of.
    columns : numpy.ndarray, shape (N, P)
        The index in its text of the token at each position; the length of the text for none.
    """
    if examples.columns is None:
        return None
    inputs = examples.inputs
    first = ~inputs.is_repeated()
    texts: Ints = np.cumsum(first) - 1
    sizes = inputs.sizes[first]
    if sizes.sum() > _MOST_TOKENS:
        return None
    tokens = inputs.tokens[first][np.arange(inputs.width) < sizes[:, None]]
    columns = np.stack([inputs.at(column) for column in range(len(examples.positions))], axis=1)
    columns = np.where(columns < 0, inputs.sizes[:, None], columns)
    return tokens.astype(np.int64), np.concatenate([[0], np.cumsum(sizes)]), texts, columns
