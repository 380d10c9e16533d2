"""Run: open what is to be shown, and serve it until the process is told to stop."""

from __future__ import annotations

import html
import json
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from clusterwidget.core.stages import shown_kinds
from clusterwidget.explorer import Explorer
from clusterwidget.publish.server.answers import Answers, Typed
from clusterwidget.publish.server.limits import Limits
from clusterwidget.publish.server.origins import Origins
from clusterwidget.wire.start import first_stage

if TYPE_CHECKING:
    import uvicorn

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="widget.css">
<link rel="stylesheet" href="served.css">
<script type="module" src="served.js"></script>
</head>
<body>
<main id="figure" data-traits="{traits}"></main>
<noscript>This figure is drawn by a script. Allow scripts on this page to see it.</noscript>
</body>
</html>
"""
_SWITCH_SECONDS = 0.001
_FIRST_EXAMPLES = 1000
"""What the page colors its map by before all examples are looked at: see `state/knowledge.ts`."""


def serve(
    explorer: Explorer,
    title: str,
    *,
    host: str,
    port: int,
    origins: Iterable[str] = (),
    limits: Limits | None = None,
    load: bool = False,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve an exploration until the process is interrupted.

    Parameters
    ----------
    explorer : Explorer
        From now on it belongs to the visitors: nothing is written to where it is saved.
    title : str
        Of the page.
    host, port
        To listen on; port 0 takes one that is free.
    origins : iterable of str
        See `Origins`.
    limits : Limits, optional
    load : bool
        Load the model before the server says that it is ready.
    ready : function
        Told the address once the server listens.

    Raises
    ------
    ValueError
        For what is no origin, and where the packages or the front end are missing.
    OSError
        Where the port is taken or the host is not this machine's.
    """
    try:
        server = prepared(explorer, title, Origins(host, origins), limits or Limits(), load=load)
    except ImportError as error:
        if (error.name or "").startswith("clusterwidget"):
            raise
        raise ValueError(
            f"serving needs further packages ({error.name} is missing): "
            "pip install 'clusterwidget[serve]'"
        ) from error
    with listening(host, port) as bound, one_thread_each():
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{bound.getsockname()[1]}")
        server.run(sockets=[bound])


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let each of the two threads that answer compute on one core.

    numpy's and torch's own threads wait for one another by spinning: with as many visitors as
    there are here, that costs more than it brings.
    """
    from threadpoolctl import threadpool_limits

    interval = sys.getswitchinterval()
    # The thread that reads and sends must not wait long for those that compute.
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        with threadpool_limits(1):
            yield
    finally:
        sys.setswitchinterval(interval)


def single_threaded(load: Callable[[], Any]) -> Callable[[], Any]:
    """Return what loads a model that torch runs on one thread, see `one_thread_each`."""

    def loaded() -> Any:
        model = load()
        import torch

        torch.set_num_threads(1)
        return model

    return loaded


def prepared(
    explorer: Explorer, title: str, origins: Origins, limits: Limits, *, load: bool = False
) -> uvicorn.Server:
    """Return a server that only need be run; the parameters are those of `serve`."""
    import uvicorn

    from clusterwidget.publish.server.app import Served

    answers = Answers(explorer, limits)

    def get_ready() -> None:
        warm(answers)
        if load:
            explorer.get_ready()

    served = Served(page(explorer, title), answers, limits, origins, get_ready)

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            served.stop()
            await super().shutdown(sockets)

    return Server(
        uvicorn.Config(
            served.app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=limits.message,
            # Numbers hardly shrink, and each visitor would pay for it.
            ws_per_message_deflate=False,
            h11_max_incomplete_event_size=16 << 10,
            timeout_graceful_shutdown=3,
        )
    )


def page(explorer: Explorer, title: str) -> str:
    """Return the page's HTML; the title and what is in the traits are text."""
    from clusterwidget.meaning.neighbors import default_k

    traits = {
        "stage": str(first_stage(explorer)),
        "k": default_k(len(explorer.examples)),
    }
    return _PAGE.format(title=html.escape(title), traits=html.escape(json.dumps(traits)))


def warm(answers: Answers) -> None:
    """Have ready what every visitor asks first: nothing of it needs the model."""
    from clusterwidget.core.watch import Watch

    for request in first_requests(answers.explorer):
        # Such as examples without concepts: who asks is told.
        with suppress(ValueError):
            answers.answer(request, Typed(), Watch(lambda *_: None))


def first_requests(explorer: Explorer) -> list[Mapping[str, Any]]:
    """Return what a page asks when it is opened, in its order."""
    rows = dict.fromkeys(row.kind for row in explorer.stage_set.rows)
    kinds = shown_kinds(rows)
    stage = str(first_stage(explorer))
    requests: list[Mapping[str, Any]] = [
        {"what": "hello"},
        {"what": "tokens"},
        {"what": "labels"},
        {"what": "matrix", "stage": stage, "without": [], "metric": "l2"},
        {"what": "partitions"},
    ]
    if len(explorer.examples) > 2 * _FIRST_EXAMPLES:
        requests.append({"what": "atlas", "kinds": kinds, "first": _FIRST_EXAMPLES, "metric": "l2"})
    return [*requests, {"what": "atlas", "kinds": kinds, "first": None, "metric": "l2"}]


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise OSError, in words, where there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}. Choose others with "
            "--host and --port."
        ) from error
