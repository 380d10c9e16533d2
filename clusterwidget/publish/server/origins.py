"""Origins: for which hosts a server answers, and the pages of which it talks to.

A page of another site must not use a visitor's connection to a server that only he can reach: the
``Origin`` of a WebSocket is checked. A name that an attacker points at this machine must not pass
as this server: its ``Host`` is checked (DNS rebinding). An address in digits cannot be pointed
elsewhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

_HERE = ("localhost", "127.0.0.1", "::1")


class Origins:
    """The hosts and origins that are allowed.

    Parameters
    ----------
    host : str
        What the server listens on.
    origins : iterable of str
        Further ones, such as ``"https://adder.example.org"``, under which the server is reached
        through a proxy, or whose pages embed it.

    Raises
    ------
    ValueError
        For what is no origin.

    Examples
    --------
    >>> origins = Origins("0.0.0.0", ["https://adder.example.org"])
    >>> origins.allows_host("adder.example.org"), origins.allows_host("evil.example")
    (True, False)
    >>> origins.allows_origin("https://evil.example", "adder.example.org")
    False
    >>> Origins("localhost", ["adder"])
    Traceback (most recent call last):
    ...
    ValueError: --origin is a scheme and a host, such as https://adder.example.org, not 'adder'.
    """

    def __init__(self, host: str, origins: Iterable[str] = ()) -> None:
        self._origins = {_checked(origin) for origin in origins}
        named = {urlsplit(origin).hostname or "" for origin in self._origins}
        self._hosts = {*_HERE, host.lower(), *named}

    def allows_host(self, host: str | None) -> bool:
        """Whether the server answers to a ``Host``."""
        name = _name(host)
        if name is None:
            return False
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def allows_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a page may open a WebSocket: one of the same host, or of an allowed origin.

        Programs send no origin. They have no visitor's connection to use.
        """
        if origin is None or origin.lower() in self._origins:
            return True
        split = urlsplit(origin)
        return split.scheme in ("http", "https") and split.netloc.lower() == (host or "").lower()


def _checked(origin: str) -> str:
    try:
        split = urlsplit(origin.lower().rstrip("/"))
        whole = split.scheme in ("http", "https") and split.hostname and not split.path
        _ = split.port
    except ValueError:
        whole = False
    if not whole or "@" in origin or split.query or split.fragment:
        raise ValueError(
            f"--origin is a scheme and a host, such as https://adder.example.org, not {origin!r}."
        )
    return f"{split.scheme}://{split.netloc}"


def _name(host: str | None) -> str | None:
    """Return the name of a host without its port; None where it is none."""
    try:
        return urlsplit(f"//{host or ''}").hostname
    except ValueError:
        return None
