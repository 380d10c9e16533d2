"""The package at work without torch, as a script: `run.py` starts it with each Python.

What it is imported with is measured, so that nothing else stands before the import.
"""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

# Warnings are errors where clusterwidget's own code is what they are about.
warnings.filterwarnings("error", module=r"clusterwidget(\.|$)")
_STARTED = time.perf_counter()
import clusterwidget as cw  # noqa: E402 - it is timed

IMPORTED_IN = time.perf_counter() - _STARTED
AT_MOST = 1.0
"""Seconds that the import may take."""

STAGE = "L0.resid_post@S3"


def main() -> None:
    assert IMPORTED_IN < AT_MOST, f"import clusterwidget took {IMPORTED_IN:.2f} s"
    assert cw.__version__ == importlib.metadata.version("clusterwidget")
    explorer = explored()
    with tempfile.TemporaryDirectory() as folder:
        save_and_open(explorer, Path(folder) / "saved.zarr")
    show(explorer)
    assert not {"torch", "transformer_lens"} & set(sys.modules)
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}: all well")


def explored() -> cw.Explorer:
    """Ask what needs no model, of activations that hold one concept and some noise."""
    examples = cw.addition.problems(400, seed=0)
    carry = examples.concepts["carry2"].to_numpy()
    rows = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32)
    rows[:, 0] += 20 * carry
    explorer = cw.Explorer(examples=examples, activations={STAGE: rows})
    near = explorer.neighbors(STAGE, 7, k=20)["example"].to_numpy()
    assert (carry[near] == carry[7]).all()
    assert explorer.shared(STAGE, 7)["concept"].iloc[0].startswith("carry2")
    assert explorer.atlas()["carry2"].item() > 0.9
    assert explorer.meaning(STAGE).concept == "carry2"
    assert explorer.clusters(STAGE, 2).information.idxmax() == "carry2"
    return explorer


def save_and_open(explorer: cw.Explorer, path: Path) -> None:
    explorer.save(path)
    opened = cw.open(path)
    assert opened.examples.labels == explorer.examples.labels
    np.testing.assert_array_equal(opened.matrix(STAGE), explorer.matrix(STAGE))


def show(explorer: cw.Explorer) -> None:
    widget = cw.ClusterWidget(explorer, selected=7, k=20)
    assert len(widget.neighbors) == 20
    widget.close()


if __name__ == "__main__":
    main()
