"""Chance: against the formulas, and when scipy.stats is imported."""

from __future__ import annotations

import subprocess
import sys
from math import comb

import numpy as np

from clusterwidget.meaning.chance import at_least, corrected


def test_the_chance_of_hits_is_the_sum_of_its_formula() -> None:
    expected = sum(comb(7, h) * comb(13, 5 - h) for h in range(3, 6)) / comb(20, 5)
    np.testing.assert_allclose(at_least(3, 20, 7, 5), expected)
    both = at_least(np.array([[3], [0]]), 20, np.array([7, 7]), 5)
    np.testing.assert_allclose(both, np.array([[expected] * 2, [1.0] * 2]))


def test_corrected_p_is_the_least_over_the_ranks_from_its_own_on() -> None:
    np.testing.assert_allclose(corrected([0.04, 0.01, 0.03]), [0.04, 0.03, 0.04])


def test_an_explorer_is_made_without_scipy_stats() -> None:
    code = "import sys, clusterwidget as cw; cw.ClusterWidget; print('scipy.stats' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
