"""``python -m benchmarks [part …]`` prints the tables; without a part, all of them."""

from __future__ import annotations

import importlib
import os
import platform
import sys

PARTS = (
    "startup",
    "distances",
    "capture",
    "memory",
    "million",
    "knowledge",
    "experiments",
    "language_model",
    "made_of",
    "figures",
    "page",
    "tools_page",
    "static_page",
    "deep_map",
    "visitors",
)


def main() -> None:
    """Run the parts named on the command line."""
    chosen = sys.argv[1:] or PARTS
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        raise SystemExit(
            f"There is no benchmark {', '.join(unknown)}; there are {', '.join(PARTS)}."
        )
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    for name in chosen:
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
