"""The vectors that the front end's tests read are those that NumPy gives."""

from __future__ import annotations

import runpy
from pathlib import Path

WRITER = Path(__file__).parents[1] / "js" / "tests" / "vectors.py"


def test_vectors_of_the_front_end_are_up_to_date() -> None:
    module = runpy.run_path(str(WRITER))
    assert module["PATH"].read_text() == module["vectors"](), f"run python {WRITER}"
