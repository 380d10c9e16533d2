"""Parts of planted sums: the right ones are found, with the shares that they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from clusterwidget.core.concepts import Partitions, partitions
from clusterwidget.meaning.fitting import PartsFinder

N = 3000
D = 16
SEEDS = range(20)
SIZES = {"a": 4, "b": 3, "c": 5, "d": 2, "e": 6, "f": 3}
WEIGHTS = (1.0, 0.8, 0.65, 0.5)
NEAR = 0.03

Floats = npt.NDArray[np.float64]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let numpy use one thread: for matrices this small, several wait for one another."""
    with threadpool_limits(limits=1):
        yield


def related(rng: np.random.Generator) -> pd.DataFrame:
    """Return concepts each of which goes together with the one before; two are of their own."""
    shared = rng.standard_normal((N, 1))
    normal = np.sqrt(0.45) * shared + np.sqrt(0.55) * rng.standard_normal((N, 4))
    normal = np.concatenate([normal, rng.standard_normal((N, 2))], axis=1)
    return pd.DataFrame(
        {
            name: pd.qcut(normal[:, i], size, labels=False)
            for i, (name, size) in enumerate(SIZES.items())
        }
    )


def effect(rng: np.random.Generator, codes: npt.NDArray[np.int64], size: float) -> Floats:
    """Return random vectors for the values, of this spread, shape (N, D)."""
    part = rng.standard_normal((codes.max() + 1, D))[codes]
    part -= part.mean(axis=0)
    scaled: Floats = size * part / np.sqrt(part.var(axis=0).sum())
    return scaled


def interplay(rng: np.random.Generator, one: pd.Series, other: pd.Series, size: float) -> Floats:
    """Return what the joint groups of two concepts add beyond the sum of the two."""
    joint = pd.factorize(one * 100 + other)[0]
    raw = effect(rng, joint, 1.0)
    alone = columns(pd.DataFrame({"one": one, "other": other}), [("one",), ("other",)])
    left = left_by_least_squares(alone, raw)
    scaled: Floats = size * left / np.sqrt(left.var(axis=0).sum())
    return scaled


def left_by_least_squares(design: Floats, signal: Floats) -> Floats:
    """Return what columns do not explain, by numpy; the normal equations are quick, being small."""
    normal = np.linalg.lstsq(design.T @ design, design.T @ signal, rcond=None)[0]
    left: Floats = signal - design @ normal
    return left


def columns(concepts: pd.DataFrame, terms: Sequence[tuple[str, ...]]) -> Floats:
    """Return ones, and indicator columns of concepts and of joint groups."""
    found = [np.ones((len(concepts), 1))]
    for term in terms:
        joint = sum(100**at * concepts[name].to_numpy() for at, name in enumerate(term))
        codes = pd.factorize(joint)[0]
        found.append(np.eye(codes.max() + 1)[codes])
    return np.concatenate(found, axis=1)


def explained(concepts: pd.DataFrame, signal: Floats, terms: Sequence[tuple[str, ...]]) -> float:
    """Return the share of a signal without noise that terms explain, by numpy's least squares."""
    design = columns(concepts, terms)
    left = left_by_least_squares(design, signal)
    return 1 - float(left.var(axis=0).sum() / signal.var(axis=0).sum())


def planted(
    seed: int, count: int, *, both: bool = False
) -> tuple[pd.DataFrame, Floats, Floats, Partitions]:
    """Return concepts, a signal of so many of them, the signal with noise, and the partitions."""
    rng = np.random.default_rng([seed, count])
    concepts = related(rng)
    chosen = list(SIZES)[:count]
    signal = sum(
        (effect(rng, concepts[n].to_numpy(), w) for n, w in zip(chosen, WEIGHTS, strict=False)),
        start=np.zeros((N, D)),
    )
    if both:
        signal += interplay(rng, concepts["a"], concepts["b"], 0.6)
    spread = np.sqrt(signal.var(axis=0).sum() / D)
    noisy = signal + 0.5 * spread * rng.standard_normal(signal.shape)
    return concepts, signal, noisy, partitions(concepts)


def true_shares(
    concepts: pd.DataFrame, signal: Floats, noisy: Floats, terms: Sequence[tuple[str, ...]]
) -> tuple[list[float], list[float]]:
    """Return what each term adds to those before it, and what only it explains, of the whole."""
    of_whole = signal.var(axis=0).sum() / noisy.var(axis=0).sum()
    up_to = [explained(concepts, signal, terms[:k]) for k in range(len(terms) + 1)]
    adds = [float(of_whole * (b - a)) for a, b in pairwise(up_to)]
    only = []
    for term in terms:
        # What a concept explains is told without the interplay that it is in.
        beside = [other for other in terms if not set(term) <= set(other)]
        without = explained(concepts, signal, beside)
        only.append(float(of_whole * (explained(concepts, signal, [*beside, term]) - without)))
    return adds, only


def test_the_concepts_go_together() -> None:
    correlation = related(np.random.default_rng(0)).corr().to_numpy()[:4, :4]
    between = correlation[np.triu_indices(4, 1)]
    assert (between > 0.28).all()
    assert (between < 0.52).all()


@pytest.mark.parametrize(
    ("count", "both"),
    [(1, False), (2, False), (3, False), (4, False), (2, True), (3, True), (4, True)],
)
def test_planted_parts_are_found_with_their_shares(count: int, both: bool) -> None:
    for seed in SEEDS:
        concepts, signal, noisy, known = planted(seed, count, both=both)
        found = PartsFinder(known, N, seed).parts(noisy.astype(np.float32))
        wanted = {(name,) for name in list(SIZES)[:count]} | ({("a", "b")} if both else set())
        assert {tuple(sorted(part.names)) for part in found.all} == wanted, (seed, str(found))
        assert len(found.all) == len(wanted)
        terms = [part.names for part in found.all]
        adds, only = true_shares(concepts, signal, noisy, terms)
        np.testing.assert_allclose([part.adds for part in found.all], adds, atol=NEAR)
        np.testing.assert_allclose([part.only for part in found.all], only, atol=NEAR)
        of_noise = 1 - signal.var(axis=0).sum() / noisy.var(axis=0).sum()
        assert found.unexplained == pytest.approx(of_noise, abs=NEAR)


def test_noise_has_no_parts() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng([seed, 9])
        finder = PartsFinder(partitions(related(rng)), N, seed)
        found = finder.parts(rng.standard_normal((N, D)).astype(np.float32))
        assert found.all == (), (seed, str(found))
        assert found.unexplained == 1


def nested(seed: int, *, fine: bool) -> tuple[Partitions, Floats]:
    """Return concepts of which one is a coarser look at another, and vectors of one of the two."""
    rng = np.random.default_rng([seed, 11])
    digit = rng.integers(0, 10, N)
    concepts = pd.DataFrame({"digit": digit, "large": digit >= 5, "other": rng.integers(0, 3, N)})
    part = digit if fine else (digit >= 5).astype(np.int64)
    signal = effect(rng, part, 1.0) + effect(rng, concepts["other"].to_numpy(), 0.6)
    noise = rng.standard_normal(signal.shape) * 0.5 * signal.std(axis=0).mean()
    return partitions(concepts), signal + noise


@pytest.mark.parametrize(("fine", "name"), [(True, "digit"), (False, "large")])
def test_of_nested_concepts_the_one_that_was_planted_is_found(fine: bool, name: str) -> None:
    for seed in SEEDS:
        known, noisy = nested(seed, fine=fine)
        found = PartsFinder(known, N, seed).parts(noisy.astype(np.float32))
        assert set(found.concepts) == {name, "other"}, (seed, str(found))
        assert len(found.all) == 2


def test_the_same_seed_gives_the_same_parts() -> None:
    _, _, noisy, known = planted(3, 3, both=True)
    matrix = noisy.astype(np.float32)
    finder = PartsFinder(known, N, 5)
    first = finder.parts(matrix)
    # Another stage in between changes nothing.
    finder.parts(matrix[:, ::-1].copy() ** 2)
    assert finder.parts(matrix) == first == PartsFinder(known, N, 5).parts(matrix)
    assert PartsFinder(known, N, 6).parts(matrix) != first
