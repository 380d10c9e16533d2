"""Explorer: answers every question about a model and examples. The widget shows its answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from clusterwidget.certification import Certification
from clusterwidget.core.examples import Examples, Vocabulary
from clusterwidget.results.kept import RECORDS
from clusterwidget.core.watch import Cancelled, Progress
from clusterwidget.store.records import Records, all_records, put_record, records
from clusterwidget.store.writing import Bases, require_free, write_store
from clusterwidget.core.stages import Stage, row_name
from clusterwidget.store.reading import Store


class Explorer(Certification):
    """What a model holds to be the same: distances and neighbors at any stage.

    Activations are captured when they are first asked for, once, and kept within `memory`.

    Parameters
    ----------
    model : Model, optional
        Anything with the surface of TransformerLens's models.
    examples : Examples
    activations : mapping of Stage or address to array of shape (N, d), optional
        Activations that you already have, from any tool; then no model is needed.
    memory : int, optional
        Bytes that captured activations may take: 2 GiB by default. The least recently used are
        dropped, and captured again when they are needed.
    batch_size : int, optional
        Examples in one forward pass. By default about 14,000 tokens' worth.
    saved : Store, optional
        What was saved before: see `open`.

    Attributes
    ----------
    path : Path or None
        Where the exploration is saved, if it is: new certificates are kept there as well.

    Raises
    ------
    TypeError, ValueError
        Where the parts do not fit together, before any work begins.
    """

    def save(
        self,
        path: str | os.PathLike[str],
        stages: Iterable[Stage | str] | None = None,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        """Save the exploration as one Zarr group: examples, stage matrices and certificates.

        Whole or not at all; an exploration that is there is replaced. Functions are not saved: of
        a vocabulary the texts of the tokens that occur are, of `parse` nothing.

        Parameters
        ----------
        path : path of the folder, such as ``"adder.zarr"``
        stages : iterable of Stage or address, optional
            Captured first where they must be. By default those that are held.
        progress, cancelled
            As in `capture`.

        Raises
        ------
        FileExistsError, FileNotFoundError
            Where the path holds something else, or its folder is not there.
        CaptureCancelledError
            Nothing was saved then.
        """
        target = Path(path)
        require_free(target)
        chosen = self._captures.held_stages() if stages is None else list(map(Stage.of, stages))
        for stage in chosen:
            self.stage_set.width(stage)
        if not chosen:
            raise ValueError(
                "nothing is captured yet, so there is nothing to save: say which stages, "
                "explorer.save(path, stages=explorer.stages(kinds=…))."
            )
        saved = self._captures.saved
        own = {self.path, saved.path} if isinstance(saved, Store) else {self.path}
        again = target.absolute() in {path.absolute() for path in own if path is not None}
        whole = set(self.stages()).issubset(chosen)
        if again and self.model is None and not whole:
            raise ValueError(
                f"{target} would lose the stages that are not saved again, and there is no model "
                "to capture them: save all of them, or choose another name."
            )
        write_store(
            target,
            self.examples,
            saved.whole if isinstance(saved, Store) and self.model is None else self.stage_set,
            self._captures.each(list(dict.fromkeys(chosen)), progress, cancelled),
            bases=self._bases(chosen),
            records=self._records,
            fingerprint=self._fingerprint(),
        )
        self.path = target
        if again or (saved is None and (self.model is not None or whole)):
            self._captures.saved = Store(target)

    def _bases(self, chosen: Iterable[Stage]) -> Bases:
        of_heads = {
            row_name(stage.kind, stage.layer, stage.head): stage
            for stage in chosen
            if stage.kind == "result"
        }
        for name, stage in of_heads.items():
            basis = self._basis(stage)
            if basis is not None:
                yield name, basis

    def _records(self) -> Records:
        """Return what is in the saved exploration, and the certificates made since."""
        kept = all_records(self.path) if self.path is not None else {}
        return {**kept, RECORDS: {**kept.get(RECORDS, {}), **self._certificates.records()}}

    def _fingerprint(self) -> Any:
        if self.model is None:
            saved = self._captures.saved
            return saved.fingerprint if isinstance(saved, Store) else None
        from clusterwidget.store.reading import model_fingerprint

        return model_fingerprint(self.model, self.stage_set, self.examples.tokens)

    def _keep_certificate(self, key: str, document: dict[str, Any]) -> None:
        if self.path is not None and self.path.exists():
            put_record(self.path, RECORDS, key, document)


def open(  # noqa: A001 - cw.open reads well
    path: str | os.PathLike[str],
    model: Any = None,
    *,
    parse: Callable[[str], Examples] | None = None,
    vocabulary: Vocabulary | None = None,
    memory: int = 2 << 30,
) -> Explorer:
    """Open an exploration that `Explorer.save` wrote; its matrices are read when asked for.

    Parameters
    ----------
    path : path of the folder
    model : Model, optional
        The one that it was saved from, for stages that were not saved, the logit lens, swaps and
        traces.
    parse, vocabulary : optional
        As in `Examples`: functions that were not saved.
    memory : int, optional
        As in `Explorer`.

    Raises
    ------
    FileNotFoundError, ValueError
        Where no exploration is there, it is damaged, or the model is another one.
    """
    store = Store(Path(path))
    examples = store.examples(parse=parse, vocabulary=vocabulary)
    explorer = Explorer(model, examples, memory=memory, saved=store)
    explorer.restore_certificates(records(store.path, RECORDS))
    return explorer
