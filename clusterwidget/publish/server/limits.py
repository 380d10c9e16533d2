"""Limits: what one visitor may ask of a server, and all of them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """What is bounded, each a number above 0.

    Attributes
    ----------
    visitors : int
        Connections at a time; one more is told that the server is full.
    open : int
        Requests of a visitor that are not answered yet.
    rate : int
        Requests of a visitor in a second, over some seconds.
    message : int
        Bytes of a message from a visitor; a larger one closes the connection.
    typed : int
        Examples that a visitor may type.
    idle : int
        Seconds without a request after which a connection is closed. The page opens it again when
        it is used.
    unread : int
        Seconds that a visitor may take to read a part of an answer.
    answers : int
        Megabytes of answers that are kept for those who ask the same.

    Examples
    --------
    >>> Limits.of(["visitors=20", "idle=60"]).visitors
    20
    >>> Limits.of(["visitors=many"])
    Traceback (most recent call last):
    ...
    ValueError: --limit visitors is a whole number from 1 up, not 'many'.
    """

    visitors: int = 500
    open: int = 40
    rate: int = 40
    message: int = 16 << 10
    typed: int = 20
    idle: int = 900
    unread: int = 30
    answers: int = 192

    @classmethod
    def of(cls, given: Iterable[str]) -> Limits:
        """Return the limits that texts such as ``"visitors=20"`` set.

        Raises
        ------
        ValueError
            For one that there is not, and for what is no number above 0.
        """
        known = [field.name for field in fields(cls)]
        values = {}
        for text in given:
            name, _, number = text.partition("=")
            if name not in known:
                raise ValueError(
                    f"--limit is one of {', '.join(known)} and a number, such as "
                    f"--limit visitors=200, not {text!r}."
                )
            if not (number.isascii() and number.isdecimal() and 0 < int(number) < 1 << 40):
                raise ValueError(f"--limit {name} is a whole number from 1 up, not {number!r}.")
            values[name] = int(number)
        return cls(**values)


class Bucket:
    """Lets so many requests a second pass, and some more at once after a quiet time.

    Parameters
    ----------
    rate : float
        Requests a second.
    at_once : float
        How many may come at once.

    Examples
    --------
    >>> bucket = Bucket(rate=1, at_once=2)
    >>> [bucket.passes(now) for now in (0.0, 0.0, 0.0, 1.0)]
    [True, True, False, True]
    """

    def __init__(self, rate: float, at_once: float) -> None:
        self._rate = rate
        self._most = at_once
        self._left = at_once
        self._at: float | None = None

    def passes(self, now: float) -> bool:
        """Tell whether a request may pass at a time, in seconds."""
        if self._at is not None:
            self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
