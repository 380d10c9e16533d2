"""Fitting: finds the concepts that together explain a stage.

A stage's vectors are fitted as a sum of one vector for each value of each chosen concept: an
analysis of variance with several factors (Scheffé, "The Analysis of Variance", 1959), chosen by
forward selection. The fit is joint least squares, so that concepts that go together share what they
explain instead of each being credited with it. Everything is told on examples that had no part in
the fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from threadpoolctl import ThreadpoolController

from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.meaning.aside import Indicators
from clusterwidget.meaning.meaning import MOST, NESTED, coarsest_of
from clusterwidget.meaning.parts import NOTHING, Part, Parts
from clusterwidget.meaning.shares import Float32Array, Float64Array

LEAST = 0.01
"""Share of the whole that a part adds at least."""
ALPHA = 0.01
"""The largest corrected p with which a part enters."""
MOST_PARTS = 12

_EACH = 2
"""Examples that each group of an interplay has at least, on average, in the half that is fitted."""


class PartsFinder:
    """Finds parts at stage after stage: what depends on the examples alone is worked out once.

    Parameters
    ----------
    partitions : Partitions
    n : int
        Number of examples.
    seed : int
        Of the halves: one is fitted, on the other everything is told.
    """

    def __init__(self, partitions: Partitions, n: int, seed: int = 0) -> None:
        self._partitions = partitions
        order = np.random.default_rng(seed).permutation(n)
        self._fitted, self._told = np.sort(order[: n // 2]), np.sort(order[n // 2 :])
        self._terms = _Terms(partitions.all, self._fitted, self._told)
        self._joint: dict[tuple[int, int], _Terms | None] = {}
        self._threads = ThreadpoolController()

    def parts(self, matrix: Float32Array) -> Parts:
        """Return the parts of a stage.

        Parameters
        ----------
        matrix : numpy.ndarray, shape (N, d)
        """
        # Of matrices as small as these several threads mostly wait for one another.
        with self._threads.limit(limits=1, user_api="blas"):
            return self._parts(matrix)

    def _parts(self, matrix: Float32Array) -> Parts:
        fitted, told = matrix[self._fitted], matrix[self._told]
        shift = fitted.mean(axis=0, dtype=np.float64).astype(np.float32)
        fit = _Fit(fitted - shift, told - shift)
        spread = math.sqrt(fit.told_squares / len(told))
        if not fit.told_squares > 0 or not fit.fitted_squares > 0:
            return NOTHING
        fit.take(self._terms)
        found: list[_Step] = []
        barred: set[tuple[int, ...]] = set()
        while len(found) < MOST_PARTS and fit.rest_fitted >= LEAST:
            chosen = self._next(fit, found, barred)
            if chosen is None:
                break
            step = self._entered(fit, chosen)
            if step is None:
                barred.add(chosen)
            else:
                found.append(step)
        return fit.concluded(found, [part.name for part in self._partitions.all], spread)

    def _next(
        self, fit: _Fit, found: Sequence[_Step], barred: set[tuple[int, ...]]
    ) -> tuple[int, ...] | None:
        """Return what explains most of what is left: one concept, or two that are in, together.

        The two, where no concept by itself does nearly as well.
        """
        shares = fit.shares_of_rest(self._terms)
        there = {step.terms for step in found}
        for taken in there | barred:
            if len(taken) == 1:
                shares[taken[0]] = -np.inf
        alone = float(shares.max())
        best, together = None, -np.inf
        singles = sorted(term for terms in there if len(terms) == 1 for term in terms)
        for pair in combinations(singles, 2):
            terms = self._terms_of(*pair)
            if terms is None or pair in there or pair in barred:
                continue
            fit.take(terms)
            share = float(fit.shares_of_rest(terms)[0])
            if share * fit.rest < LEAST / 2:
                # What explains so little of what is left will not explain more of less.
                barred.add(pair)
            elif share > together:
                best, together = pair, share
        if max(alone, together) * fit.rest < LEAST / 2:
            return None
        if best is not None and alone < MOST * together:
            return best
        if not found:
            return (coarsest_of(self._partitions, shares),)
        # After the stage's name, the coarsest that leaves no part of what the best one explains.
        return (coarsest_of(self._partitions, shares, max(0.0, 1 - LEAST / (alone * fit.rest))),)

    def _entered(self, fit: _Fit, chosen: tuple[int, ...]) -> _Step | None:
        tried = len(self._partitions.all)
        if len(chosen) == 1:
            return fit.step(self._terms, chosen[0], chosen, tried)
        terms = self._terms_of(*chosen)
        assert terms is not None
        return fit.step(terms, 0, chosen, tried)

    def _terms_of(self, a: int, b: int) -> _Terms | None:
        """Return the joint groups of two concepts; None where one determines the other."""
        a, b = min(a, b), max(a, b)
        if (a, b) not in self._joint:
            nested = self._partitions.determined
            one, other = self._partitions.all[a], self._partitions.all[b]
            joint = None
            if max(nested[a, b], nested[b, a]) < NESTED:
                groups = one.within(other)
                if len(groups.groups) * _EACH <= len(self._fitted):
                    joint = _Terms([groups], self._fitted, self._told)
            self._joint[a, b] = joint
        return self._joint[a, b]


class _Terms:
    """Indicator columns of partitions, on the examples that are fitted and on the others."""

    def __init__(
        self,
        partitions: Sequence[Partition],
        fitted: npt.NDArray[np.int64],
        told: npt.NDArray[np.int64],
    ) -> None:
        indicators = Indicators(partitions)
        self.starts = indicators.starts
        self.fitted: csr_array = indicators.rows(fitted).tocsr()
        self.told: csr_array = indicators.rows(told).tocsr()
        self.counts: Float64Array = np.asarray(self.fitted.sum(axis=1), np.float64).ravel()

        self._shared: dict[int, tuple[Float64Array, Float64Array]] = {}

    def columns(self, term: int) -> slice:
        return slice(self.starts[term], self.starts[term + 1])

    def shared(self, other: _Terms) -> tuple[Float64Array, Float64Array]:
        """Return how many examples, fitted and told, two groups have in common; once for all."""
        if id(other) not in self._shared:
            fitted = np.asarray((self.fitted @ other.fitted.T).todense(), np.float64)
            told = np.asarray((self.told @ other.told.T).todense(), np.float64)
            self._shared[id(other)] = fitted, told
            other._shared[id(self)] = fitted.T, told.T
        return self._shared[id(other)]


@dataclass(frozen=True)
class _Step:
    """A part that entered."""

    terms: tuple[int, ...]
    """Indices of the concept, or of the two of an interplay."""
    columns: npt.NDArray[np.int64]
    """Where its indicators are among all that entered."""
    adds: float
    p: float


class _Fit:
    """The joint fit of what has entered so far, on centered vectors of the two halves.

    Parameters
    ----------
    fitted, told : numpy.ndarray, shape (n, d)
    """

    def __init__(self, fitted: Float32Array, told: Float32Array) -> None:
        self._rows, self._told = fitted, told
        self.fitted_squares = float(np.einsum("ij,ij->", fitted, fitted, dtype=np.float64))
        self.told_squares = float(np.einsum("ij,ij->", told, told, dtype=np.float64))
        self._sums: dict[int, Float64Array] = {}
        self._entered: list[tuple[_Terms, slice]] = []
        self._fit_products, self._told_products = np.zeros((0, 0)), np.zeros((0, 0))
        self._predicted = np.zeros(told.shape, np.float32)
        self._fit_sums = np.zeros((0, fitted.shape[1]))
        self._told_sums = np.zeros((0, fitted.shape[1]))
        self._effects = np.zeros((0, fitted.shape[1]))
        self._explained = 0.0

    @property
    def rest(self) -> float:
        """Share that is not explained yet."""
        return 1 - self._explained

    @property
    def rest_fitted(self) -> float:
        """The same of the half that is fitted."""
        return 1 - float(np.vdot(self._effects, self._fit_sums)) / self.fitted_squares

    def take(self, terms: _Terms) -> None:
        """Sum the vectors over the groups of further terms."""
        if id(terms) not in self._sums:
            self._sums[id(terms)] = np.asarray(terms.fitted @ self._rows, np.float64)

    def shares_of_rest(self, terms: _Terms) -> Float64Array:
        """Return the share of what is left that each term explains, corrected for its groups.

        Beyond what is in already: of a concept that goes together with another only the difference.
        """
        n, starts = len(self._rows), terms.starts
        squares = self.fitted_squares - float(np.vdot(self._effects, self._fit_sums))
        if squares <= 1e-9 * self.fitted_squares:
            return np.zeros(len(starts) - 1)
        sums = self._sums[id(terms)]
        if self._entered:
            shared = self._shared(terms)[0]
            left, known = sums - shared @ self._effects, _solved(self._fit_products, shared.T)
            gains = [
                _gain(terms.counts[some], shared[some] @ known[:, some], left[some])
                for some in map(terms.columns, range(len(starts) - 1))
            ]
        else:
            norms = np.einsum("ij,ij->i", sums, sums) / np.maximum(terms.counts, 1)
            gains = np.add.reduceat(norms, starts[:-1]).tolist()
        groups = np.add.reduceat((terms.counts > 0).astype(int), starts[:-1])
        within = (squares - np.array(gains)) / np.maximum(n - groups, 1)
        shares: Float64Array = 1 - within / (squares / max(n - 1, 1))
        return shares

    def step(self, terms: _Terms, term: int, indices: tuple[int, ...], tried: int) -> _Step | None:
        """Let a term enter if it adds enough; None, and nothing is changed, if it does not."""
        columns = terms.columns(term)
        own = [each[columns, columns] for each in terms.shared(terms)]
        beside = [each[columns] for each in self._shared(terms)]
        fit_products = _bordered(self._fit_products, beside[0], own[0])
        told_products = _bordered(self._told_products, beside[1], own[1])
        fit_sums = np.concatenate([self._fit_sums, self._sums[id(terms)][columns]])
        effects = _solved(fit_products, fit_sums)
        added = np.asarray(terms.told[columns] @ self._told, np.float64)
        told_sums = np.concatenate([self._told_sums, added])
        explained = self._explained_by(told_products, told_sums, effects)
        adds = explained - self._explained
        if not adds >= LEAST:
            return None
        predicted = np.zeros_like(self._predicted)
        start = 0
        for each, some in [*self._entered, (terms, columns)]:
            stop = start + some.stop - some.start
            predicted += each.told[some].T @ effects[start:stop].astype(np.float32)
            start = stop
        gained = _p_of_gain(self._told - self._predicted, predicted - self._predicted)
        p = min(1.0, tried * gained)
        if not p <= ALPHA:
            return None
        placed = np.arange(len(self._fit_sums), len(fit_sums))
        self._entered.append((terms, columns))
        self._fit_products, self._told_products = fit_products, told_products
        self._fit_sums, self._told_sums = fit_sums, told_sums
        self._effects, self._explained, self._predicted = effects, explained, predicted
        return _Step(indices, placed, adds, p)

    def _shared(self, terms: _Terms) -> tuple[Float64Array, Float64Array]:
        """Return how many examples each group of some terms has in common with what entered."""
        empty = np.zeros((len(terms.counts), 0))
        several = [terms.shared(each) for each, _ in self._entered]
        fitted, told = (
            np.concatenate(
                [
                    empty,
                    *(
                        pair[half][:, some]
                        for pair, (_, some) in zip(several, self._entered, strict=True)
                    ),
                ],
                axis=1,
            )
            for half in (0, 1)
        )
        return fitted, told

    def _explained_by(
        self, products: Float64Array, sums: Float64Array, effects: Float64Array
    ) -> float:
        """Return the share of the told half that effects explain."""
        return float(np.vdot(effects, 2 * sums - products @ effects)) / self.told_squares

    def concluded(self, steps: Sequence[_Step], names: Sequence[str], spread: float) -> Parts:
        """Return the parts that entered, with what each explains alone and what only it does.

        What only a concept explains is told without the interplays that it is in, which hold all
        of it: sums of squares of the second type.
        """

        def explained(some: Sequence[_Step]) -> float:
            if not some:
                return 0.0
            columns = np.concatenate([step.columns for step in some])
            square = np.ix_(columns, columns)
            effects = _solved(self._fit_products[square], self._fit_sums[columns])
            return self._explained_by(
                self._told_products[square], self._told_sums[columns], effects
            )

        parts = []
        for step in steps:
            beside = [s for s in steps if not set(step.terms) <= set(s.terms)]
            parts.append(
                Part(
                    tuple(names[term] for term in step.terms),
                    explained([step]),
                    step.adds,
                    explained([*beside, step]) - explained(beside),
                    step.p,
                )
            )
        return Parts(tuple(parts), 1 - self._explained, spread)


def _gain(counts: Float64Array, known: Float64Array, left: Float64Array) -> float:
    """Return by how much further indicator columns would lower the sum of squares.

    Parameters
    ----------
    counts : numpy.ndarray, shape (k,)
    known : numpy.ndarray, shape (k, k)
        What is known of the columns from those that are in.
    left : numpy.ndarray, shape (k, d)
        Sums of what is left over the groups.
    """
    beyond = np.diag(counts) - known
    beyond.flat[:: len(counts) + 1] += 1e-6 * counts.max(initial=1.0)
    return float(np.vdot(left, np.linalg.solve(beyond, left)))


def _bordered(products: Float64Array, beside: Float64Array, own: Float64Array) -> Float64Array:
    """Return products with those of further columns: with the ones before, and among themselves."""
    return np.block([[products, beside.T], [beside, own]])


def _solved(products: Float64Array, sums: Float64Array) -> Float64Array:
    """Return least-squares effects; where many fit, as good as the shortest.

    Concepts have a direction in common, the mean of all, and nested ones more: a ridge of 1e-9 of
    the largest group decides there, and is lost in rounding everywhere else.
    """
    ridge = 1e-9 * float(products.diagonal().max())
    return np.asarray(np.linalg.solve(products + ridge * np.eye(len(products)), sums), np.float64)


def _p_of_gain(left: Float32Array, change: Float32Array) -> float:
    """Return the chance that effects fitted elsewhere come as much nearer to what is left.

    A one-sided z-test of what each example gains, ``|left|² - |left - change|²``. Of an unrelated
    concept the expected gain is below 0: the test is on the safe side.
    """
    gains = np.einsum("ij,ij->i", change, 2 * left - change, dtype=np.float64)
    error = gains.std(ddof=1) / math.sqrt(len(gains))
    if error == 0:
        return 0.0 if gains.mean() > 0 else 1.0
    return 0.5 * math.erfc(float(gains.mean() / error) / math.sqrt(2))
