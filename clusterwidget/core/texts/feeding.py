"""Feeding: what a model is given of a text: chat template, beginning of sequence, and all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clusterwidget.core.checks import flag, shown
from clusterwidget.core.texts.tokenizer import NOWHERE, Encoded, Span, TextTokenizer

ChatTemplate = bool | str | Callable[[str], str] | None

_MARK = (
    "\N{OBJECT REPLACEMENT CHARACTER}clusterwidget puts a text here\N{OBJECT REPLACEMENT CHARACTER}"
)


@dataclass(frozen=True)
class Fed:
    """What a model is fed of one text.

    Attributes
    ----------
    encoded : Encoded
    start, end : int
        The text's own part of what was tokenized, in characters.
    """

    encoded: Encoded
    start: int
    end: int

    def __len__(self) -> int:
        return len(self.encoded.ids)

    @property
    def spans(self) -> list[Span]:
        """Where each token stands in the text; outside of it for those of a chat template."""
        return [
            span if span == NOWHERE else (span[0] - self.start, span[1] - self.start)
            for span in self.encoded.spans
        ]

    @property
    def own(self) -> list[int]:
        """The indices of the text's own tokens: none of a chat template, and none added."""
        length = self.end - self.start
        return [
            at
            for at, span in enumerate(self.spans)
            if span[0] < length and span[1] > 0 and span[0] < span[1]
        ]


class Feeding:
    """How texts become what a model is fed.

    Parameters
    ----------
    tokenizer : TextTokenizer
    prepend_bos : bool or None
        Whether each text begins with the token for the beginning of a sequence, exactly one; None
        leaves it to the tokenizer.
    chat_template : bool, str, function or None
        See `Examples.from_text`.
    context : int or None
        The most tokens that a model can read.

    Raises
    ------
    TypeError, ValueError
        For what the tokenizer cannot do.
    """

    def __init__(
        self,
        tokenizer: TextTokenizer,
        prepend_bos: bool | None,
        chat_template: ChatTemplate,
        context: int | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.prepend_bos = None if prepend_bos is None else flag("prepend_bos", prepend_bos)
        self.context = tokenizer.context if context is None else context
        if self.prepend_bos and tokenizer.bos is None:
            raise ValueError(
                "prepend_bos=True, but the tokenizer has no token for the beginning of a sequence: "
                "set its bos_token, or leave prepend_bos out."
            )
        is_plain = chat_template is None or chat_template is False
        self._around = None if is_plain else self._template(chat_template)

    def fed(self, texts: list[str]) -> list[Fed]:
        """Return what is fed of each text.

        Raises
        ------
        ValueError
            Where a text cannot be tokenized, has no token, or is longer than the context.
        """
        found = [self._fed(text) for text in texts]
        for at, (text, one) in enumerate(zip(texts, found, strict=True)):
            if not len(one):
                raise ValueError(f"text {at}, {shown(text)}, has no token: leave it out.")
        self._require_context(texts, found)
        return found

    def _fed(self, text: str) -> Fed:
        before, after = ("", "") if self._around is None else self._filled(text)
        whole = before + text + after
        encoded = self.tokenizer.encode(whole, special=self._around is None)
        bos = self.tokenizer.bos
        begins = bos is not None and encoded.ids[:1] == [bos]
        if self.prepend_bos and not begins:
            assert bos is not None
            encoded = encoded.after(bos)
        elif self.prepend_bos is False and begins:
            encoded = encoded.cut(1)
        return Fed(encoded, len(before), len(before) + len(text))

    def _template(self, given: Any) -> Callable[[str], str]:
        if callable(given):
            return lambda text: str(given(text))
        if not isinstance(given, (str, bool)):
            raise TypeError(
                "chat_template must be True (the tokenizer's own), a template as a string, or a "
                f"function of a text, not {shown(given)}."
            )
        apply = getattr(self.tokenizer.given, "apply_chat_template", None)
        if apply is None or (
            given is True and not getattr(self.tokenizer.given, "chat_template", 1)
        ):
            raise ValueError(
                f"chat_template={shown(given)}, but the tokenizer has no chat template: give a "
                "function of a text that returns what is fed, or leave it out."
            )
        own: dict[str, Any] = {} if given is True else {"chat_template": given}

        def rendered(text: str) -> str:
            message = [{"role": "user", "content": text}]
            return str(apply(message, tokenize=False, add_generation_prompt=True, **own))

        return rendered

    def _filled(self, text: str) -> tuple[str, str]:
        """Return what the chat template puts before a text, and after it."""
        assert self._around is not None
        try:
            frame, filled = self._around(_MARK), self._around(text)
        except Exception as error:
            raise ValueError(
                f"the chat template fails on {shown(text)}: {type(error).__name__}: {error}"
            ) from error
        before, mark, after = frame.partition(_MARK)
        if not mark or _MARK in after:
            raise ValueError(
                f"the chat template makes {shown(frame)} of a text, which does not hold it exactly "
                "once: give a template that puts the user's message in once."
            )
        if before + text + after != filled:
            raise ValueError(
                f"the chat template changes the text {shown(text)} itself, {shown(filled)}: take "
                "spaces off its ends, as most templates do."
            )
        return before, after

    def _require_context(self, texts: list[str], found: list[Fed]) -> None:
        over = [max(0, len(one) - self.context) if self.context else 0 for one in found]
        if any(over):
            worst = over.index(max(over))
            several = sum(1 for extra in over if extra)
            raise ValueError(
                f"{several:,} of {len(texts):,} texts {'is' if several == 1 else 'are'} longer "
                f"than the context of {self.context:,} tokens, and {sum(over):,} tokens would be "
                f"cut; the longest, text {worst}, {shown(texts[worst])}, has "
                f"{len(found[worst]):,}. "
                "Shorten such texts, or leave them out."
            )
