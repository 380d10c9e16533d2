"""Notebook: whether a notebook's kernel runs this, and whether a person is at it."""

from __future__ import annotations

import os
import sys
from typing import Any


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this, and not only a program that knows of kernels."""
    return _kernel() is not None


def is_unattended() -> bool:
    """Whether a program executes the notebook and keeps its outputs, and no page shows them.

    nbclient, with which nbconvert, papermill and Quarto execute, lets no cell ask for input, and
    pages do. Voila executes with it too, but a page follows; so it may where a server started the
    kernel for a page, and in Colab.
    """
    kernel = _kernel()
    if kernel is None:
        return False
    request = kernel.get_parent() or {}
    for_a_page = "JPY_SESSION_NAME" in os.environ or in_voila() or "google.colab" in sys.modules
    return request.get("content", {}).get("allow_stdin") is False and not for_a_page


def in_voila() -> bool:
    """Whether Voila started this kernel, for a page that is served and kept nowhere."""
    return any(name.startswith("VOILA_") for name in os.environ)


def _kernel() -> Any:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None)
