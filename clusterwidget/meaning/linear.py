"""Linear fits: how well a concept that is a number is read off a stage, and how much it explains.

Read off: R² of ridge regression from the vectors to the value, on examples that had no part in the
fit, mean of the folds; the penalty is chosen in each training part, by leave-one-out. Explained:
the share of the stage's variance that a linear function of the value explains, 1 − the squared
distance of the vectors to their least-squares line over that to their mean, corrected for the slope
that chance alone gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.checks import shown
from clusterwidget.core.concepts import unknown_concept
from clusterwidget.core.numbers import is_continuous, numbers_of
from clusterwidget.meaning.shares import Float32Array, Float64Array

MOST_EXAMPLES = 10_000
"""Of more examples so many random ones are fitted."""
_MOST_NUMBERS = 1 << 26
_PENALTIES = 10.0 ** np.arange(-6, 3)
"""Of the ridge, in units of the mean variance of a coordinate times the number of examples."""


@dataclass(frozen=True)
class LinearFit:
    """How a stage and a number go together.

    Attributes
    ----------
    n : int
        Examples that have the value.
    r2 : float
        How well the value is read off the vectors; NaN where one of the two is the same for all.
    explained : float
        Share of the variance of the vectors that is linear in the value.
    """

    n: int
    r2: float
    explained: float


NOTHING = LinearFit(0, np.nan, np.nan)


def number_columns(concepts: pd.DataFrame, names: Sequence[str] | None) -> dict[str, Float64Array]:
    """Return concepts as numbers, NaN where they are missing or infinite.

    Parameters
    ----------
    concepts : pandas.DataFrame
    names : sequence of str, optional
        By default those of many different values: see `core.numbers.is_continuous`.

    Raises
    ------
    ValueError
        For a name that is unknown, and for one that is no number.
    """
    known = [str(name) for name in concepts.columns]
    found: dict[str, Float64Array] = {}
    for name in known if names is None else names:
        if name not in known:
            raise ValueError(unknown_concept(name, known))
        if names is None and not is_continuous(concepts[name]):
            continue
        values = numbers_of(concepts[name])
        if values is None:
            raise ValueError(
                f"the concept {name!r} is no number, such as {shown(concepts[name].iloc[0])}: its "
                "explained share is in the atlas."
            )
        found[name] = np.where(np.isfinite(values), values, np.nan)
    return found


def linear_fits(
    matrix: Float32Array, numbers: Sequence[Float64Array], folds: int, seed: int
) -> list[LinearFit]:
    """Return how each number goes with a stage.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    numbers : sequence of numpy.ndarray, shape (N,)
        NaN where they are missing.
    folds : int
        Into which examples are divided at random.
    seed : int
        Of that division, and of the examples that are fitted where there are many.
    """
    found = [NOTHING] * len(numbers)
    together: dict[bytes, list[int]] = {}
    for at, values in enumerate(numbers):
        together.setdefault(np.isnan(values).tobytes(), []).append(at)
    for several in together.values():
        rows = np.flatnonzero(~np.isnan(numbers[several[0]]))
        several = [at for at in several if len(rows) and np.ptp(numbers[at][rows]) > 0]
        if len(rows) < 2 * folds or not several:
            continue
        targets = np.stack([numbers[at][rows] for at in several], axis=1)
        explained = _explained(matrix, rows, targets)
        if np.isnan(explained).all():
            continue
        r2 = _read_off(matrix, rows, targets, folds, seed)
        for at, own, share in zip(several, r2, explained, strict=True):
            found[at] = LinearFit(len(rows), float(own), float(share))
    return found


def _read_off(
    matrix: Float32Array, rows: npt.NDArray[np.int64], targets: Float64Array, folds: int, seed: int
) -> Float64Array:
    """Return R² of each target, shape (targets,)."""
    from sklearn.linear_model import RidgeCV
    from sklearn.metrics import r2_score
    from sklearn.model_selection import KFold

    most = max(4 * folds, min(MOST_EXAMPLES, _MOST_NUMBERS // matrix.shape[1]))
    if len(rows) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))
        rows, targets = rows[chosen], targets[chosen]
    vectors = matrix[rows].astype(np.float64)
    vectors -= vectors.mean(axis=0)
    vectors /= np.sqrt(np.square(vectors).mean())
    # Of one size, so that one does not crowd out another; R² is of no unit.
    values = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    scores = []
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(vectors):
        ridge = RidgeCV(_PENALTIES * len(train), alpha_per_target=True)
        ridge.fit(vectors[train], values[train])
        guessed = ridge.predict(vectors[test]).reshape(len(test), -1)
        scores.append(r2_score(values[test], guessed, multioutput="raw_values"))
    return np.asarray(np.mean(scores, axis=0), np.float64)


def _explained(
    matrix: Float32Array, rows: npt.NDArray[np.int64], targets: Float64Array
) -> Float64Array:
    """Return what each target explains of the vectors, shape (targets,)."""
    vectors = matrix[rows].astype(np.float64)
    vectors -= vectors.mean(axis=0)
    total = float(np.square(vectors).sum())
    if total <= 1e-12 * float(np.square(matrix[rows], dtype=np.float64).sum()):
        return np.full(targets.shape[1], np.nan)
    moved = targets - targets.mean(axis=0)
    slopes = moved.T @ vectors
    share = np.square(slopes).sum(axis=1) / np.square(moved).sum(axis=0) / total
    n = len(rows)
    return np.asarray(1 - (1 - share) * (n - 1) / (n - 2), np.float64)
