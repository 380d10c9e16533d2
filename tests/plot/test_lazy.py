"""Figures cost nothing until one is drawn."""

from __future__ import annotations

import subprocess
import sys

import pytest

import clusterwidget as cw


def test_importing_the_package_and_its_widget_imports_no_matplotlib() -> None:
    code = (
        "import sys, clusterwidget as cw; cw.ClusterWidget; cw.plot; dir(cw.plot); "
        "print(sorted({'matplotlib', 'torch', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_every_figure_that_is_named_is_there() -> None:
    for name in cw.plot.__all__:
        assert callable(getattr(cw.plot, name))
    with pytest.raises(AttributeError, match="has no attribute 'pie'"):
        cw.plot.pie  # noqa: B018
