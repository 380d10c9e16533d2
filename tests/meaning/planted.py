"""Vectors in which concepts are planted."""

from __future__ import annotations

import numpy as np

from clusterwidget.core.concepts import Partition

N = 2000
D = 24


def codes(known: tuple[Partition, ...], name: str) -> np.ndarray:
    return next(partition.codes for partition in known if name in partition.names)


def planted(*groups: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return vectors that hold these groups, each at signal-to-noise 1."""
    rng = np.random.default_rng(seed)
    signal = np.zeros((len(groups[0]), D))
    for group in groups:
        part = np.eye(group.max() + 1)[group] @ rng.standard_normal((group.max() + 1, D))
        signal += (part - part.mean(axis=0)) / np.sqrt(part.var(axis=0).mean())
    noise = rng.standard_normal(signal.shape)
    return (signal + noise).astype(np.float32)
