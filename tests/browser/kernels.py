"""Reads and sets Python state in the kernel behind a page."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path
from typing import Any

from jupyter_client import BlockingKernelClient


class Kernel:
    """A second client of a running kernel, beside the page's.

    Parameters
    ----------
    connection_file
        The kernel's ``kernel-….json``.
    """

    def __init__(self, connection_file: Path) -> None:
        self._client = BlockingKernelClient(connection_file=str(connection_file))
        self._client.load_connection_file()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def run(self, code: str, seconds: float = 60) -> None:
        """Execute ``code``; an exception there is one here."""
        # After an error a kernel would abort what is asked next, the page's requests too.
        reply = self._client.execute(
            code,
            silent=False,
            store_history=False,
            stop_on_error=False,
            reply=True,
            timeout=seconds,
        )
        content = reply["content"]
        if content["status"] != "ok":
            raise RuntimeError("\n".join(content.get("traceback", [str(content)])))

    def value(self, expression: str, seconds: float = 60) -> Any:
        """Return what ``expression`` is now; it must be something that JSON can say."""
        reply = self._client.execute(
            "import json as _json",
            silent=True,
            user_expressions={"value": f"_json.dumps({expression})"},
            reply=True,
            timeout=seconds,
        )
        found = reply["content"]["user_expressions"]["value"]
        if found["status"] != "ok":
            raise RuntimeError("\n".join(found["traceback"]))
        # The kernel answers with the repr of a str: one literal, quoted as Python does.
        text: str = found["data"]["text/plain"]
        return json.loads(ast.literal_eval(text))

    def wait_for(self, expression: str, expected: Any, seconds: float = 10) -> None:
        """Wait until ``expression`` is ``expected``."""
        deadline = time.monotonic() + seconds
        while (found := self.value(expression)) != expected:
            if time.monotonic() > deadline:
                raise AssertionError(f"{expression} is {found!r}, not {expected!r}")
            time.sleep(0.05)

    def close(self) -> None:
        """Leave the kernel to its page."""
        self._client.stop_channels()
