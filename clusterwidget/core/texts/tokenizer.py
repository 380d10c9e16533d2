"""Tokenizers: what they make of a text, and where in the text each token stands.

Anything that encodes and decodes will do: tokenizers of transformers, of tokenizers, sentencepiece
and tiktoken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from clusterwidget.core.checks import several, shown

Span = tuple[int, int]
"""Where something starts and ends in a text, in characters; the end is left out."""

NOWHERE: Span = (-1, -1)
"""The span of a token that the tokenizer adds, such as the beginning of a sequence."""

_BROKEN = "\N{REPLACEMENT CHARACTER}"
_WORD = "\N{LOWER ONE EIGHTH BLOCK}"
"""What sentencepiece writes for a space before a word."""
_ENDLESS = 10**9
"""Tokenizers that know of no longest text say a number above this."""


@dataclass(frozen=True)
class Encoded:
    """A text as tokens.

    Attributes
    ----------
    ids : list of int
    find_spans : function that returns a list of Span, one for each token
        Called once, and only where somebody asks: for some tokenizers it takes time.
    """

    ids: list[int]
    find_spans: Callable[[], list[Span]]

    @cached_property
    def spans(self) -> list[Span]:
        """Where each token stands in the text; `NOWHERE` for those that the tokenizer added."""
        return self.find_spans()

    def cut(self, start: int) -> Encoded:
        """Return the tokens from one on."""
        return Encoded(self.ids[start:], lambda: self.spans[start:])

    def after(self, token: int) -> Encoded:
        """Return the tokens with one more in front, which is not of the text."""
        return Encoded([token, *self.ids], lambda: [NOWHERE, *self.spans])


class TextTokenizer:
    """A tokenizer of any library.

    Parameters
    ----------
    given : object that encodes and decodes

    Attributes
    ----------
    bos : int or None
        The token that begins a sequence; for tokenizers like BERT's, the one for classification.
    pad : int
        What rows are filled up with. Tokenizers without a token for it have another one take its
        place: the mask of the examples says which tokens are padding.
    context : int or None
        The most tokens that the tokenizer says its model can read.
    side : str
        Where padding goes unless somebody says otherwise: ``"left"`` or ``"right"``.

    Raises
    ------
    TypeError
        For what is no tokenizer.
    """

    def __init__(self, given: Any) -> None:
        self.given = checked_tokenizer(given)
        self.bos = self._special("bos_token_id", "bos_id", "cls_token_id")
        padding = self._special("pad_token_id", "pad_id", "eos_token_id", "eos_id")
        self.pad = next((token for token in (padding, self.bos) if token is not None), 0)
        most = getattr(given, "model_max_length", None)
        self.context = int(most) if isinstance(most, int) and 0 < most < _ENDLESS else None
        side = getattr(given, "padding_side", None)
        self.side = side if side in ("left", "right") else "right"
        # Tokenizers of transformers, and of the library beneath them.
        self._is_transformers = hasattr(given, "convert_ids_to_tokens")
        self._is_fast = bool(getattr(given, "is_fast", False)) and callable(given)
        self._is_rust = hasattr(given, "id_to_token") and not self._is_transformers
        self._kept: dict[str, Any] = {}
        if self._is_transformers or self._is_rust:
            self._kept["skip_special_tokens"] = False
        if self._is_transformers:
            self._kept["clean_up_tokenization_spaces"] = False
        self.text_of = lru_cache(maxsize=1 << 16)(self._text_of)

    def encode(self, text: str, *, special: bool) -> Encoded:
        """Return a text as tokens, with those that the tokenizer adds by itself or without.

        Raises
        ------
        ValueError
            Where the tokenizer cannot read the text.
        """
        try:
            found = self._encoded(text, special)
        except Exception as error:
            raise ValueError(
                f"the tokenizer cannot read {shown(text)}: {type(error).__name__}: {error}"
            ) from error
        return found

    def __call__(self, token: int) -> str:
        """Return the text of a token: a tokenizer is a vocabulary."""
        return self.text_of(int(token))

    def _encoded(self, text: str, special: bool) -> Encoded:
        if self._is_fast:
            made = self.given(
                text,
                add_special_tokens=special,
                return_offsets_mapping=True,
                return_special_tokens_mask=True,
                truncation=False,
                verbose=False,
            )
            added = made["special_tokens_mask"] if special else [0] * len(made["input_ids"])
            return _with_offsets(made["input_ids"], made["offset_mapping"], added)
        if self._is_rust:
            made = self.given.encode(text, add_special_tokens=special)
            if made.overflowing:
                raise ValueError("it is set to cut long texts; call its no_truncation().")
            own = [i for i, kept in enumerate(made.attention_mask) if kept]
            added = made.special_tokens_mask if special else [0] * len(made.ids)
            return _with_offsets(
                [made.ids[i] for i in own],
                [made.offsets[i] for i in own],
                [added[i] for i in own],
            )
        plain = {"add_special_tokens": False} if self._is_transformers else {}
        ids = _token_ids(self.given.encode(text, **plain))
        inner = Encoded(ids, lambda: self._spans_by_decoding(ids, text))
        if not special or not self._is_transformers:
            return inner
        around = _token_ids(self.given.encode(text, add_special_tokens=True))
        before = next(
            (i for i in range(len(around)) if around[i : i + len(ids)] == ids), len(around)
        )
        if before == len(around):
            return Encoded(around, lambda: self._spans_by_decoding(around, text))
        after = len(around) - before - len(ids)
        return Encoded(around, lambda: [NOWHERE] * before + inner.spans + [NOWHERE] * after)

    def _spans_by_decoding(self, ids: list[int], text: str) -> list[Span]:
        """Return where tokens stand in a text, from what ever more of them decode to.

        Raises
        ------
        ValueError
            Where the tokens do not decode to the text.
        """
        # Some decoders drop or add a space in front.
        start = at = len(text) - len(text.lstrip())
        spans = []
        for count in range(1, len(ids) + 1):
            decoded = self._decoded(ids[:count]).lstrip()
            end = start + len(decoded)
            while end > at and text[at:end] != decoded[at - start : end - start]:
                # Half a character is decoded as something else.
                end -= 1
            spans.append((at, max(at, end)))
            at = max(at, end)
        if at < len(text.rstrip()):
            raise ValueError(
                f"where the tokens stand in {shown(text)} cannot be told: they decode to "
                f"{shown(self._decoded(ids))}. Give positions as offsets such as -1, or use a "
                "tokenizer that gives offsets (a fast one of transformers)."
            )
        return spans

    def _decoded(self, ids: list[int]) -> str:
        return str(self.given.decode(ids, **self._kept))

    def _text_of(self, token: int) -> str:
        try:
            text = self._decoded([token])
        except Exception:  # noqa: BLE001 - models have tokens that their tokenizers know nothing of
            return f"<{token}>"
        piece = self._piece(token)
        if _BROKEN in text:
            return _bytes_text(piece) or text
        if piece is not None and piece.startswith(_WORD) and not text.startswith(" "):
            return " " + text
        return text or f"<{token}>"

    def _piece(self, token: int) -> Any:
        for name in ("convert_ids_to_tokens", "id_to_token", "id_to_piece"):
            if hasattr(self.given, name):
                return getattr(self.given, name)(token)
        if hasattr(self.given, "decode_single_token_bytes"):
            return self.given.decode_single_token_bytes(token)
        return None

    def _special(self, *names: str) -> int | None:
        for name in names:
            found = getattr(self.given, name, None)
            found = found() if callable(found) else found
            if isinstance(found, int) and found >= 0:
                return found
        return None


def is_tokenizer(value: Any) -> bool:
    """Whether a value encodes texts and decodes tokens."""
    return all(callable(getattr(value, name, None)) for name in ("encode", "decode")) and not (
        isinstance(value, (str, bytes, type))
    )


def checked_tokenizer(value: Any) -> Any:
    """Return a tokenizer, or raise TypeError with the way to one."""
    if isinstance(value, TextTokenizer):
        return value.given
    if is_tokenizer(value):
        return value
    if isinstance(value, str):
        raise TypeError(
            f"tokenizer must be a tokenizer, not a name, {shown(value)}: nothing is looked up by "
            f"name here. Load it first: AutoTokenizer.from_pretrained({shown(value)}), which "
            "without a network takes a folder that it was saved to."
        )
    if is_tokenizer(getattr(value, "tokenizer", None)):
        raise TypeError(
            f"tokenizer must be a tokenizer, not a {type(value).__name__}: pass its .tokenizer."
        )
    raise TypeError(
        f"tokenizer must encode texts and decode tokens, as those of transformers do; "
        f"{shown(value)} does not."
    )


def _token_ids(encoded: Any) -> list[int]:
    ids = encoded.tolist() if hasattr(encoded, "tolist") else encoded
    if not several(ids) or any(isinstance(token, str) or several(token) for token in ids):
        raise TypeError(f"encode returned {shown(encoded)} instead of a list of tokens' ids.")
    return [int(token) for token in ids]


def _with_offsets(ids: list[int], offsets: list[Span], added: list[int]) -> Encoded:
    spans = [
        NOWHERE if extra else (int(start), int(end))
        for (start, end), extra in zip(offsets, added, strict=True)
    ]
    return Encoded([int(token) for token in ids], lambda: spans)


def _bytes_text(piece: Any) -> str | None:
    """Return a token that is part of a character, as its bytes in hexadecimal."""
    if isinstance(piece, str):
        if piece.startswith("<0x"):
            return piece
        known = _characters_of_bytes()
        if not all(character in known for character in piece):
            return None
        piece = bytes(known[character] for character in piece)
    return "<" + " ".join(f"{byte:02X}" for byte in piece) + ">" if piece else None


@lru_cache(maxsize=1)
def _characters_of_bytes() -> dict[str, int]:
    """Return the characters that byte-level tokenizers write for bytes (GPT-2's table)."""
    itself = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in itself]
    return {chr(byte): byte for byte in itself} | {
        chr(256 + at): byte for at, byte in enumerate(others)
    }
