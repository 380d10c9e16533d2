"""The command ``clusterwidget serve``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

Model = tuple[Callable[[], Any], Callable[[str], Any] | None]
"""What loads a model, and what reads typed text for it."""


def add_serve(commands: Any, models: Mapping[str, Callable[[], Model]]) -> None:
    """Add the command to those of ``clusterwidget``.

    Parameters
    ----------
    commands : what ``ArgumentParser.add_subparsers`` returns
    models : mapping of name to function
        Models that have a name; called when one is chosen.
    """
    serve = commands.add_parser(
        "serve",
        help="show a saved exploration to many visitors",
        description="Serve a saved exploration as a page: one process for many visitors, who share "
        "what is known and see only their own typed examples. Needs clusterwidget[serve].",
    )
    serve.add_argument("store", type=Path, help="folder that Explorer.save wrote")
    serve.add_argument(
        "--model",
        default="none",
        help="what swaps, tests, traces and typed examples run on: adder, for the worked example; "
        "module:function, which returns a model; or none (default: %(default)s)",
    )
    serve.add_argument(
        "--load",
        action="store_true",
        help="load the model at once, not with the first question that needs it",
    )
    serve.add_argument("--host", default="127.0.0.1", help="to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="0 for a free one (default: 8000)")
    serve.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="URL",
        help="address under which a proxy makes the page known, such as "
        "https://adder.example.org; may be repeated",
    )
    serve.add_argument("--title", help="of the page (default: the name of the folder)")
    serve.add_argument(
        "--memory", default="512MB", help="for stage matrices (default: %(default)s)"
    )
    serve.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="what visitors may ask: visitors, open, rate, message, typed, idle, unread or "
        "answers; may be repeated. See docs/publishing.md",
    )
    serve.set_defaults(run=partial(_serve, models), when_interrupted="The server has stopped.")


def _serve(models: Mapping[str, Callable[[], Model]], options: argparse.Namespace) -> int:
    import clusterwidget as cw
    from clusterwidget.publish.server.limits import Limits
    from clusterwidget.publish.server.run import serve, single_threaded

    if not 0 <= options.port < 1 << 16:
        raise ValueError(f"--port is from 0 to 65535, not {options.port}.")
    limits = Limits.of(options.limit)
    load, parse = _named_model(options.model, models)
    explorer = cw.open(
        options.store, load and single_threaded(load), parse=parse, memory=options.memory
    )

    def ready(address: str) -> None:
        print(f"{len(explorer.examples):,} examples at {address} (Ctrl-C stops it)", flush=True)

    try:
        serve(
            explorer,
            options.title or options.store.absolute().stem,
            host=options.host,
            port=options.port,
            origins=options.origin,
            limits=limits,
            load=options.load,
            ready=ready,
        )
    except KeyboardInterrupt:
        print("The server has stopped.")
    return 0


def _named_model(
    name: str, models: Mapping[str, Callable[[], Model]]
) -> tuple[Callable[[], Any] | None, Callable[[str], Any] | None]:
    """Return what loads the model that is named on the command line, and reads text for it."""
    if name == "none":
        return None, None
    if name in models:
        return models[name]()
    module, colon, function = name.partition(":")
    if not colon or not all(part.isidentifier() for part in [*module.split("."), function]):
        raise ValueError(
            f"--model is {', '.join(models)}, none, or module:function, such as my_models:small, "
            f"not {name!r}."
        )
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Callable[[], Any] = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"--model {name} cannot be found: {error}") from error
    return found, None
