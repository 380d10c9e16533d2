"""Explorer: answers every question about a model and examples. The widget shows its answers."""

from __future__ import annotations

import copy
import errno
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activations.activations import Activations
from clusterwidget.activations.cache import Cache
from clusterwidget.activations.extended import Extended
from clusterwidget.activations.given import given_activations
from clusterwidget.core import checks
from clusterwidget.core.budget import budget_seconds, duration_text
from clusterwidget.core.concepts import Partition, Partitions, partitions
from clusterwidget.core.distances import l2, nearest_of
from clusterwidget.core.edges import Edge
from clusterwidget.core.examples import Examples, Vocabulary
from clusterwidget.core.finding import find_example, parsed_example
from clusterwidget.core.kept import Document, Kept
from clusterwidget.core.metrics import Metric, checked_metric
from clusterwidget.core.questions import question_named
from clusterwidget.core.stages import Stage, StageSet, stage_list
from clusterwidget.core.watch import Cancelled, Progress, Watch
from clusterwidget.interventions.setting import Setting
from clusterwidget.meaning import atlas_kept, clusters_kept
from clusterwidget.meaning.aside import AllAside
from clusterwidget.meaning.atlas import Atlas, atlas
from clusterwidget.meaning.components import Components, components
from clusterwidget.meaning.layouts import METHODS as LAYOUTS
from clusterwidget.meaning.layouts import Layout, layout
from clusterwidget.meaning.meaning import Meaning, meaning
from clusterwidget.meaning.neighbors import (
    default_k,
    neighbor_table,
    shared_by,
    shared_concepts,
    wide_look,
)
from clusterwidget.meaning.parts import NOTHING, KnownParts, Parts, PartsSettings
from clusterwidget.meaning.parts import RECORDS as PARTS
from clusterwidget.meaning.sharedtexts import SharedTexts
from clusterwidget.meaning.shares import explained_shares
from clusterwidget.meaning.significance import (
    CORRECTIONS,
    MOST_PERMUTATIONS,
    Correction,
    significance,
)
from clusterwidget.meaning.spread import is_same_for_all, spread_of
from clusterwidget.model.hooks import Model, check_inputs, model_name
from clusterwidget.model.lazy import LazyModel
from clusterwidget.results import trace_kept
from clusterwidget.results.kept import RECORDS, Settings, SwapTests
from clusterwidget.results.swaptest import HOW, SwapTest, verdicts
from clusterwidget.results.trace import DRAWS, LEAST, THRESHOLD, Trace
from clusterwidget.results.trace_kept import TraceSettings
from clusterwidget.store.reading import Store
from clusterwidget.store.records import Records, put_record, record, records
from clusterwidget.store.saving import save

if TYPE_CHECKING:
    from clusterwidget.meaning.clusters import Clusters
    from clusterwidget.results.account import Account
    from clusterwidget.results.swap import Swap

Chosen = int | Sequence[int] | npt.NDArray[np.integer]
"""An example by its index, or a row of tokens."""
Float32Array = npt.NDArray[np.float32]
Stages = Stage | str | Iterable[Stage | str]
Names = str | Iterable[str]


_MOST_MAPS = 8
"""Layouts by UMAP that are kept."""


class Explorer:
    """What a model holds to be the same: distances and neighbors at any stage.

    Activations are captured when they are first asked for, once, and kept within `memory`.

    Parameters
    ----------
    model : Model or function of no arguments, optional
        Anything with the surface of TransformerLens's models, or what returns it: then it is loaded
        when the first question needs it.
    examples : Examples
    activations : mapping of Stage or address to array of shape (N, d), optional
        Activations that you already have, from any tool; then no model is needed.
    memory : int or str, optional
        What captured activations may take, in bytes or as ``"2GB"``: 2 GiB by default. The least
        recently used are dropped, and captured again when they are needed.
    batch_size : int, optional
        Examples in one forward pass. By default about 14,000 tokens' worth.
    saved : Store, optional
        What was saved before: see `open`.
    keep : bool
        Whether swap tests, traces and clusters are written into the saved exploration as soon as
        they are made.

    Attributes
    ----------
    examples : Examples
        With those that were typed since.
    model : Model or None
        Loaded first, where it must be: see `has_model`.
    stage_set : StageSet
        The stages that can be asked about.
    path : Path or None
        Where the exploration is saved, if it is: new swap tests are kept there as well.

    Raises
    ------
    TypeError, ValueError
        Where the parts do not fit together, before any work begins.

    See Also
    --------
    open : an exploration that was saved.
    ClusterWidget : the same on screen.

    Examples
    --------
    The examples below are of the worked example, a transformer that adds:

    >>> model = cw.addition.load_model("cpu")
    >>> ex = cw.Explorer(model, cw.addition.problems(1000, seed=0))
    >>> ex.meaning("L1H0.result@S3").concept
    'carry2'
    >>> ex
    Explorer(1,000 examples, 1,022 stages, TransformerLensNative in float32)
    """

    def __init__(
        self,
        model: Any = None,
        examples: Examples | None = None,
        *,
        activations: Mapping[Stage | str, npt.ArrayLike] | None = None,
        memory: int | str = 2 << 30,
        batch_size: int | None = None,
        saved: Store | None = None,
        keep: bool = True,
    ) -> None:
        if not isinstance(examples, Examples):
            raise TypeError(
                f"examples must be clusterwidget.Examples, not {checks.shown(examples)}: make "
                "them with Examples(tokens, labels=…)."
            )
        if len(examples) < 2:
            raise ValueError("there is one example only: at least two are needed to compare.")
        if saved is None and (model is None) == (activations is None):
            raise TypeError(
                "give a model or activations: Explorer(model, examples), or "
                "Explorer(examples=examples, activations={'L0.z@0': array})."
            )
        if batch_size is not None:
            checks.whole("batch_size", batch_size, least=1)
        checks.flag("keep", keep)
        cache = Cache(checks.memory_bytes(memory))
        lazy = stages = None
        if model is not None:
            lazy = LazyModel(model, _fits(examples, saved))
            if saved is not None:
                stages = saved.whole if lazy.loaded is None else lazy.stages()
                stages = stages.laid_out(examples.places.layout)
        elif saved is not None:
            stages = saved.stage_set.laid_out(examples.places.layout)
        else:
            assert activations is not None
            cache, stages = given_activations(activations, len(examples), examples.places)
        self.path = None if saved is None else saved.path
        held = Activations(cache, stages, lazy, examples.inputs, batch_size, saved)
        self._setting = Setting(lazy, examples, held)
        self._keeps = keep
        self._kept = SwapTests(partial(self._keep, RECORDS))
        self._begin_to_keep()
        self._known_parts = KnownParts()
        self._maps: dict[tuple[str, tuple[str, ...], str, int], Layout] = {}
        self._chosen: tuple[Examples, tuple[str, ...], Partitions] | None = None

    @classmethod
    def from_text(
        cls,
        model: Any,
        texts: Iterable[str],
        *,
        positions: Mapping[str, Any] | str | None = None,
        answers: Mapping[str, Any] | Iterable[Any] | str | None = None,
        concepts: pd.DataFrame | Mapping[str, npt.ArrayLike] | None = None,
        prepend_bos: bool | None = None,
        chat_template: bool | str | Callable[[str], str] | None = None,
        padding_side: str | None = None,
        tokenizer: Any = None,
        memory: int | str = 2 << 30,
        batch_size: int | None = None,
    ) -> Explorer:
        """Return an explorer of a model on texts, of any lengths: shorter ones are padded.

        Parameters
        ----------
        model : Model, or function of no arguments
            As in `Explorer`; a function needs `tokenizer` beside it.
        texts, positions, answers, concepts, chat_template, padding_side
            As in `Examples.from_text`.
        prepend_bos : bool, optional
            By default as ``model.to_tokens`` does: with most models what is fed begins with the
            token for that. With a chat template, and without a model's own settings, as the
            template or the tokenizer does.
        tokenizer : tokenizer, optional
            By default the model's own.
        memory, batch_size
            As in `Explorer`.

        Raises
        ------
        TypeError, ValueError
            As in `Examples.from_text`; also for texts longer than the model's context.

        See Also
        --------
        Examples.from_text, Examples.from_template, Examples.from_dataset
        Examples.fed : the tokens that are really fed.

        Examples
        --------
        Any tokenizer with the model's vocabulary will do; here it is a list of characters.

        >>> signs = list(ex.examples.vocabulary)
        >>> class Characters:
        ...     def encode(self, text):
        ...         return [signs.index(character) for character in text]
        ...     def decode(self, tokens):
        ...         return "".join(signs[token] for token in tokens)
        >>> asked = cw.Explorer.from_text(
        ...     ex.model, ["1234+5678=", "4321+8765="], tokenizer=Characters(), answers=["0", "1"]
        ... )
        >>> asked.matrix("L1.resid_post@last").shape
        (2, 64)
        """
        from clusterwidget.model.texts import reader_of

        reader = reader_of(model, tokenizer, prepend_bos, chat_template)
        examples = Examples.from_text(
            reader.tokenizer,
            texts,
            positions=positions,
            answers=answers,
            concepts=concepts,
            prepend_bos=reader.prepend_bos,
            chat_template=chat_template,
            padding_side=padding_side,
            context=reader.context,
        )
        return cls(model, examples, memory=memory, batch_size=batch_size)

    def __repr__(self) -> str:
        """Say how much there is, of which model, and in which precision it computes."""
        lazy = self._setting.lazy
        parts = [f"{len(self.examples):,} examples"]
        if lazy is None or lazy.loaded is not None:
            parts.append(f"{len(self.stage_set):,} stages")
        if lazy is None:
            parts.append("no model")
        elif lazy.loaded is None:
            parts.append("a model that is not loaded yet")
        else:
            from clusterwidget.model.overflow import precision

            parts.append(f"{model_name(lazy.loaded)} in {precision(lazy.loaded)}")
        return f"Explorer({', '.join(parts)})"

    @property
    def examples(self) -> Examples:
        """The examples, with those that were typed since.

        See Also
        --------
        add

        Examples
        --------
        >>> ex.examples.labels[42]
        '2688+9707=12395'
        """
        return self._setting.examples

    @property
    def model(self) -> Model | None:
        """The model, if there is one; loaded first where a function loads it.

        See Also
        --------
        has_model : which loads nothing.
        load : with progress.

        Examples
        --------
        >>> ex.model.cfg.n_layers
        2
        """
        return self._setting.model

    @property
    def has_model(self) -> bool:
        """Whether there is a model, loaded or not.

        See Also
        --------
        is_loaded

        Examples
        --------
        >>> later = cw.Explorer(cw.addition.load_model, ex.examples)
        >>> later.has_model, later.is_loaded
        (True, False)
        """
        return self._setting.lazy is not None

    @property
    def is_loaded(self) -> bool:
        """Whether there is a model that need not be loaded first.

        See Also
        --------
        load, has_model

        Examples
        --------
        >>> ex.is_loaded
        True
        """
        return self._setting.activations.runs_at_once

    def load(
        self,
        *,
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        """Load the model now, where a function loads it; do nothing where there is none.

        Parameters
        ----------
        progress, cancelled
            As in `capture`; there is nothing to count. Where it is called off the model goes on
            loading, for whoever asks next.

        Raises
        ------
        ModelNotLoadedError
            Where the function raised, or returned what is no model or another one. It is called
            anew when the model is next needed.

        See Also
        --------
        is_loaded, get_ready

        Examples
        --------
        >>> later = cw.Explorer(lambda: ex.model, ex.examples)
        >>> later.load()
        >>> later.is_loaded
        True
        """
        if self._setting.lazy is not None:
            self._setting.lazy.get(Watch.of(progress, cancelled))

    @property
    def stage_set(self) -> StageSet:
        """The stages that can be asked about, as rows × positions.

        See Also
        --------
        stages : as a list.

        Examples
        --------
        >>> len(ex.stage_set)
        1022
        """
        return self._setting.stages

    # What there is, and how near examples are to one another.

    def stages(
        self,
        kinds: str | Iterable[str] | None = None,
        layers: int | Iterable[int] | None = None,
        heads: int | Iterable[int] | None = None,
        positions: str | Iterable[str] | None = None,
    ) -> list[Stage]:
        """Return the stages of these kinds, layers, heads and positions; None means all.

        See Also
        --------
        Stage : one place in the model.

        Examples
        --------
        >>> [str(stage) for stage in ex.stages("result", layers=1, positions="S3")]
        ['L1H0.result@S3', 'L1H1.result@S3', 'L1H2.result@S3', 'L1H3.result@S3']
        """
        return self.stage_set.select(kinds, layers, heads, positions)

    def matrix(
        self,
        stage: Stage | str,
        *,
        without: Names = (),
        metric: str = "l2",
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> Float32Array:
        """Return the stage matrix, shape (N, d), float32; captured first where it must be.

        `result` is in an orthonormal basis of the d_head-dimensional subspace that the head writes
        to, with the same distances; `vectors` gives it in the model's own basis.

        Parameters
        ----------
        stage : Stage or address
        without : str or iterable of str, optional
            Concepts that are set aside: a vector for each of their values, fitted by least squares
            together, is subtracted, and with them the mean of all. A missing value is a value of
            its own.
        metric : str
            Between rows of what is returned, L2 is the distance of this metric. ``"l2"``: the
            vectors as they are. ``"cosine"``: each over its length, so that the squared distance
            is 2 − 2 cos; a vector of zeros stays at 0. ``"standardized"``: each coordinate over
            its standard deviation, that of `result` in the model's own basis. ``"whitened"``:
            Mahalanobis distance, of standardized coordinates whose correlations are shrunk
            towards none as Ledoit and Wolf (2004) estimate, which also serves where there are
            fewer examples than dimensions. Coordinates in which the examples do not differ count
            for nothing. Concepts are set aside after that, in the mapped space. The statistics
            are of the examples that the explorer was made or opened with: one that is typed later
            moves nothing.
        progress, cancelled
            As in `capture`.

        Raises
        ------
        ValueError
            For a concept that is unknown or the same for all, and for more values than examples;
            for an unknown metric, and for more than 4,096 directions to whiten.

        See Also
        --------
        vectors, distances, coordinate_shares
        parts : what a stage is made of.

        Examples
        --------
        >>> ex.matrix("L1H0.result@S3").shape
        (1000, 16)
        >>> left = ex.matrix("L1H0.result@S3", without="carry2")
        >>> bool((left ** 2).sum() < 0.05 * (ex.matrix("L1H0.result@S3") ** 2).sum())
        True
        >>> mapped = ex.matrix("L1H0.result@S3", metric="standardized")
        >>> mapped.shape
        (1000, 16)
        """
        watch = Watch.of(progress, cancelled)
        aside, metric = self._aside(without), checked_metric(metric)
        if not aside:
            return self._setting.measured(metric).matrix(Stage.of(stage), watch)
        return self._setting.asides[metric].matrix(Stage.of(stage), aside, watch)

    def vectors(self, stage: Stage | str) -> Float32Array:
        """Return the vectors in the model's own basis, shape (N, d).

        As `matrix`, but for `result`, whose rows are then of length d_model. Activations that were
        given are returned as they are.

        See Also
        --------
        matrix

        Examples
        --------
        >>> ex.vectors("L1H0.result@S3").shape
        (1000, 64)
        """
        return self._setting.activations.vectors(Stage.of(stage))

    def basis(self, stage: Stage | str) -> Float32Array | None:
        """Return the orthonormal basis in which `matrix` holds a stage, shape (d, d_model).

        None where it is held in the model's own: all stages but `result`, and what was given.

        See Also
        --------
        vectors : which is ``matrix @ basis``.

        Examples
        --------
        >>> ex.basis("L1H0.result@S3").shape
        (16, 64)
        """
        one = Stage.of(stage)
        self.stage_set.width(one)
        return self._setting.activations.basis(one) if one.kind == "result" else None

    @property
    def measured_on(self) -> int:
        """How many examples, from the first, the statistics of metrics are of.

        Those that the explorer was made or opened with; what is typed later moves nothing.

        See Also
        --------
        matrix : by a metric.

        Examples
        --------
        >>> ex.measured_on
        1000
        """
        return self._setting.activations.transforms.first

    def capture(
        self,
        stages: Stages | None = None,
        *,
        store: str | os.PathLike[str] | None = None,
        precision: str = "float32",
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        """Capture stages ahead of need, together, in as few passes as memory allows.

        Parameters
        ----------
        stages : Stage or address, or iterable of them, optional
            All of them by default.
        store : path, optional
            Capture straight to a saved exploration at this path, which need not fit into memory;
            whatever is asked of these stages is read from there afterwards, also by ``cw.open``. A
            capture that was broken off, even by a kill, goes on with the same call, and ends bit
            for bit as if it had not been.
        precision : str
            In which vectors are kept in `store`: ``"float32"``, or ``"float16"`` for half the
            space, which prints by how much distances change.
        progress : function of (examples done, examples in all), optional
            By default a progress bar appears where the capture takes longer than a second.
        cancelled : function, optional
            Asked after each batch; where it returns true, ``CaptureCancelledError`` is raised and
            only passes that were completed are kept; of a capture to `store` what is finished.

        Raises
        ------
        FileExistsError, FileNotFoundError, OSError
            Where `store` is something else already, another process writes there, or the disk has
            no room: told before work begins where it can be.
        TypeError, ValueError
            For what is no stage, path or precision; where there is no model; or where a stage
            holds NaN, infinity or what `precision` cannot hold.

        See Also
        --------
        holds, release

        Examples
        --------
        >>> ex.capture(["L1H0.result@S3", "L1.resid_post@S4"])
        >>> ex.holds("L1.resid_post@S4")
        True
        >>> ex.capture("L1.resid_post@S4", store=folder / "big.zarr")
        >>> cw.open(folder / "big.zarr").holds("L1.resid_post@S4")
        True
        """
        wanted = self.stages() if stages is None else stage_list(stages)
        if store is not None:
            self._capture_to(store, wanted, precision, Watch.of(progress, cancelled))
            return
        self._setting.activations.capture(wanted, Watch.of(progress, cancelled))

    def _capture_to(
        self,
        store: str | os.PathLike[str],
        stages: Sequence[Stage],
        precision: str,
        watch: Watch,
    ) -> None:
        from clusterwidget.store.capturing import PRECISIONS, capture_to

        path = checks.folder(store)
        if precision not in PRECISIONS:
            raise ValueError(
                f"precision must be one of {', '.join(PRECISIONS)}, not {checks.shown(precision)}."
            )
        wanted = list(dict.fromkeys(stages))
        for stage in wanted:
            self._setting.stages.width(stage)
        if not wanted:
            raise ValueError("no stages are named, so there is nothing to capture: name some.")
        if self._setting.lazy is None:
            raise ValueError(
                f"{path} cannot be captured to: there is no model. Save what was given with "
                "explorer.save(path)."
            )
        saved = capture_to(path, self._setting, wanted, precision, watch)
        if self._setting.activations.saved is None:
            self._setting.activations.saved = saved

    def holds(self, stage: Stage | str) -> bool:
        """Return whether a stage's matrix is held, so that asking for it runs no model.

        See Also
        --------
        capture

        Examples
        --------
        >>> ex.capture("L0H2.result@=")
        >>> ex.holds("L0H2.result@=")
        True
        """
        return self._setting.activations.at_hand(Stage.of(stage))

    def release(self) -> None:
        """Drop what was captured, to free memory; it is captured again when it is asked for.

        See Also
        --------
        capture

        Examples
        --------
        >>> ex.release()
        >>> ex.holds("L0H2.result@=")
        False
        """
        self._setting.release()

    def affordable(self, stages: Iterable[Stage | str]) -> list[Stage]:
        """Return the stages, in order, that can be captured and held beside what is held now.

        See Also
        --------
        capture

        Examples
        --------
        >>> len(ex.affordable(ex.stages("result", positions="S3")))
        8
        """
        return self._setting.activations.affordable(stage_list(stages))

    def distances(
        self, stage: Stage | str, example: int, *, without: Names = (), metric: str = "l2"
    ) -> Float32Array:
        """Return the distance of every example to one, shape (N,), float32.

        `without` and `metric` as in `matrix`: L2 by default. With ``metric="cosine"`` it is L2
        between vectors of length 1, from 0 to 2; ``1 - distances ** 2 / 2`` is the cosine.

        See Also
        --------
        neighbors, l2

        Examples
        --------
        >>> distances = ex.distances("L1H0.result@S3", 42)
        >>> distances.shape, float(distances[42])
        ((1000,), 0.0)
        >>> cosine = 1 - ex.distances("L1H0.result@S3", 42, metric="cosine") ** 2 / 2
        >>> bool(cosine.min() >= -1)
        True
        """
        example = checks.checked_index(example, len(self.examples))
        distances: Float32Array = l2(self.matrix(stage, without=without, metric=metric), example)
        return distances

    def coordinate_shares(self, stage: Stage | str) -> pd.DataFrame:
        """Return which coordinates carry the L2 distances of a stage, the heaviest first.

        In a residual stream a few coordinates can carry most of L2: then ``metric="standardized"``
        says more. The share of a coordinate is its variance over the sum of all variances, which
        is its share of the squared distance between two random examples. Of the examples that the
        explorer was made or opened with.

        Returns
        -------
        pandas.DataFrame
            Columns ``coordinate``, an index, ``share`` and ``deviation``, its standard deviation.
            Of `result` the coordinates are those of `vectors`.

        See Also
        --------
        matrix : whose metric can take them to the same size.

        Examples
        --------
        >>> table = ex.coordinate_shares("L1.resid_post@S4")
        >>> len(table), round(float(table["share"].sum()), 6)
        (64, 1.0)
        """
        activations = self._setting.activations
        [moments] = activations.transforms.moments([Stage.of(stage)], activations, Watch())
        order = np.argsort(-moments.shares, kind="stable")
        return pd.DataFrame(
            {
                "coordinate": order,
                "share": moments.shares[order],
                "deviation": np.sqrt(moments.variance[order]),
            }
        )

    def neighbors(
        self,
        stage: Stage | str,
        example: int,
        k: int | None = None,
        *,
        without: Names = (),
        metric: str = "l2",
    ) -> pd.DataFrame:
        """Return the k nearest examples: columns example, label, distance; nearest first.

        Ties are in the order of the examples; the example itself is left out. By default k is 100,
        or a tenth of the examples where they are fewer than 1,000. `without` and `metric` as in
        `matrix`.

        See Also
        --------
        shared : what they have in common.
        nearest : the same for a bare matrix.

        Examples
        --------
        >>> ex.neighbors("L1H0.result@S3", 42, k=3)["label"].tolist()
        ['8583+9608=18191', '5788+9803=15591', '0485+4605=05090']
        """
        k = self._k(k)
        distances = self.distances(stage, example, without=without, metric=metric)
        return self.neighbor_table(nearest_of(distances, example, k), distances)

    def neighbor_table(
        self, indices: npt.NDArray[np.int64], distances: Float32Array
    ) -> pd.DataFrame:
        """Return a table of examples in the order given: columns example, label, distance.

        See Also
        --------
        neighbors

        Examples
        --------
        >>> distances = ex.distances("L1H0.result@S3", 42)
        >>> ex.neighbor_table(np.array([7, 42]), distances)["label"].tolist()
        ['5775+0207=05982', '2688+9707=12395']
        """
        return neighbor_table(self.examples.labels, indices, distances)

    def find(self, text: str) -> int | None:
        """Return the first example that is what a person typed, or None.

        With ``examples.parse`` by its tokens, otherwise by its label.

        Raises
        ------
        TypeError
            For what is no text.
        ValueError
            From ``examples.parse``, where the text stands for no example.

        See Also
        --------
        add

        Examples
        --------
        >>> ex.find(ex.examples.labels[7])
        7
        """
        return find_example(self.examples, text)

    def add(self, text: str) -> int:
        """Return the index of the example that a person typed; append it where it is new.

        What was captured stays; the new row is captured when its stage is next asked for.

        Raises
        ------
        TypeError, ValueError
            Where the text stands for no example, or none can be added.

        See Also
        --------
        find

        Examples
        --------
        >>> ex.add(ex.examples.labels[7])
        7
        """
        found = self.find(text)
        if found is not None:
            return found
        extended = self.examples.extended(self.parsed(text))
        self._setting.activations.inputs = extended.inputs
        self._setting = replace(self._setting, examples=extended)
        return len(extended) - 1

    def parsed(self, text: str) -> Examples:
        """Return the one example that a person typed, which the model can be run on; add nothing.

        Raises
        ------
        TypeError, ValueError
            Where the text stands for no example, or none can be added.

        See Also
        --------
        add, extended

        Examples
        --------
        >>> ex.parsed("12+34").labels
        ['0012+0034=00046']
        """
        if self.examples.parse is None or not self.has_model:
            raise ValueError(
                f"no example is called {text!r}. Only examples that are here can be chosen: "
                + self._why_none_is_added()
            )
        parsed = parsed_example(self.examples, text)
        model = self.model
        assert model is not None
        check_inputs(model, parsed.inputs)
        return parsed

    def extended(self, examples: Examples) -> Explorer:
        """Return an explorer of these examples followed by others; this one stays as it is.

        The two share what is known of the common examples: activations, swap tests, reference
        examples. What is added to one of them the other does not see.

        Parameters
        ----------
        examples : Examples
            With the same positions and answers; the model is run on them.

        Raises
        ------
        TypeError, ValueError
            Where they do not fit, or there is no model.

        See Also
        --------
        add : in place.
        Examples.extended

        Examples
        --------
        >>> other = ex.extended(ex.parsed("12+34"))
        >>> len(other.examples) - len(ex.examples)
        1
        >>> other.distances("L1H0.result@S3", 42).shape
        (1001,)
        """
        joined = self.examples.extended(examples)
        self._setting.require_model()
        assert self.model is not None
        check_inputs(self.model, examples.inputs)
        other = copy.copy(self)
        activations = Extended(self._setting.activations, joined.inputs)
        other._setting = self._setting.extended(joined, activations)
        other._chosen, other._maps = None, {}
        other.path = None
        # What is worked out with further examples is nobody else's, and is not written down.
        other._begin_to_keep()
        return other

    # What stages stand for.

    def partitions(self) -> Partitions:
        """Return the concepts as groups of the examples, and notes on what was done to get them.

        See Also
        --------
        Examples : whose ``concepts`` they are.

        Examples
        --------
        >>> ex.partitions().named("carry2").groups
        ('0', '1')
        """
        return self._setting.concepts

    def shared(
        self,
        stage: Stage | str,
        example: int,
        k: int | None = None,
        *,
        concepts: Iterable[str] | None = None,
        without: Names = (),
        metric: str = "l2",
    ) -> pd.DataFrame:
        """Return what the k neighbors share with an example, one row a concept, strongest first.

        The columns are those of `meaning.neighbors.shared_concepts`; k as in `neighbors`, `without`
        and `metric` as in `matrix`.

        See Also
        --------
        neighbors, meaning

        Examples
        --------
        >>> ex.shared("L1H0.result@S3", 42)["concept"].iloc[0]
        'carry2'
        """
        k = self._k(k)
        distances = self.distances(stage, example, without=without, metric=metric)
        near = nearest_of(distances, example, k)
        wide = nearest_of(distances, example, wide_look(len(self.examples)))
        return shared_concepts(self._partitions(concepts), example, near, wide)

    def shared_texts(
        self,
        stage: Stage | str,
        example: int,
        k: int | None = None,
        *,
        without: Names = (),
        metric: str = "l2",
    ) -> pd.DataFrame:
        """Return what the texts of the k neighbors share, found in the texts, strongest first.

        Looked for are tokens, runs of two and three tokens, and words whatever their case, in three
        examples or more: where they end at the stage's position, 1 to 8 tokens before it, anywhere
        before it, and anywhere. k as in `neighbors`, `without` and `metric` as in `matrix`.

        Returns
        -------
        pandas.DataFrame
            What is significant at 0.05, at most 100 rows: ``pattern``; ``where``, that is
            ``"here"``, ``"1 before"`` …, ``"before"`` or ``"anywhere"``; ``count`` and ``share`` of
            the neighbors that have it there; ``base``, its share among all others; ``lift``, their
            ratio; ``p``, the hypergeometric chance of as many or more, corrected for all
            patterns at all places (Holm 1979), those left out that no neighbors could make
            significant (Tarone 1990); ``under``, the stronger pattern that says the same, or None:
            it is there in the same tokens, or nearly the same of all examples have it.
            ``attrs["tested"]`` is for how many p is corrected.

        Raises
        ------
        ValueError
            For examples of more than 20,000,000 tokens.

        See Also
        --------
        shared : the same for concepts.
        text_concepts : concepts that come by themselves with texts.

        Examples
        --------
        >>> found = ex.shared_texts("embed@L2", 42)
        >>> found[["pattern", "where"]].iloc[0].tolist()
        ['6', 'here']
        """
        return self.shared_texts_of(stage, example, k, without=without, metric=metric).table

    def shared_texts_of(
        self,
        stage: Stage | str,
        example: int,
        k: int | None = None,
        *,
        without: Names = (),
        metric: str = "l2",
    ) -> SharedTexts:
        """Return `shared_texts` with the places in the neighbors' texts where each pattern stands.

        See Also
        --------
        shared_texts

        Examples
        --------
        >>> found = ex.shared_texts_of("L1.resid_post@S3", 42)
        >>> len(found.matches) == len(found.table)
        True
        """
        k, chosen = self._k(k), Stage.of(stage)
        distances = self.distances(chosen, example, without=without, metric=metric)
        near = nearest_of(distances, example, k)
        return self._setting.texts.shared(self.stage_set.column(chosen), int(example), near)

    def shared_by(
        self,
        examples: Sequence[int] | npt.NDArray[np.integer],
        *,
        concepts: Iterable[str] | None = None,
    ) -> pd.DataFrame:
        """Return what some examples share, one row a concept, strongest first.

        Such as those of a lasso, `ClusterWidget.chosen`. The columns are those of
        `meaning.neighbors.shared_by`.

        Parameters
        ----------
        examples : sequence of int
            Their indices: some, but not all.
        concepts : iterable of str, optional
            Names to choose among; all by default.

        See Also
        --------
        shared : what neighbors share.

        Examples
        --------
        >>> found = ex.shared_by(ex.examples.where("carry2 = 1"), concepts=["carry2", "L0"])
        >>> found[["concept", "value", "share", "base"]].iloc[0].to_dict()
        {'concept': 'carry2', 'value': '1', 'share': 1.0, 'base': 0.0}
        """
        n = len(self.examples)
        chosen = checks.indices("examples", examples, n)
        if not 0 < len(chosen) < n:
            raise ValueError(
                f"what {len(chosen):,} of {n:,} examples share cannot be told: give the indices of "
                f"some, but not all, in place of {checks.shown(examples)}."
            )
        return shared_by(self._partitions(concepts), chosen)

    def atlas(
        self,
        stages: Stages | None = None,
        concepts: Iterable[str] | None = None,
        *,
        without: Names = (),
        metric: str = "l2",
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> pd.DataFrame:
        """Return the explained share of each concept at each stage, stages × concepts.

        All stages and all concepts by default; stages that are not held are not kept either. NaN
        where all examples are the same; ``attrs["spread"]`` says how far the vectors of each stage
        are from their mean. `without` and `metric` as in `matrix`: the shares are of what is left,
        as that metric measures it.

        See Also
        --------
        meaning : one name for one stage.
        significance : p of these shares.

        Examples
        --------
        >>> ex.atlas("L1H0.result@S3", concepts=["carry2", "L0"]).round(2).iloc[0].to_dict()
        {'carry2': 0.99, 'L0': 0.0}
        """
        wanted = self.stages() if stages is None else stage_list(stages)
        pairs = self.axes_pairs() if concepts is None else ()
        return self.atlas_of(
            wanted,
            concepts=concepts,
            pairs=pairs,
            without=without,
            metric=metric,
            progress=progress,
            cancelled=cancelled,
        ).table()

    def known_atlas(self, *, metric: str = "l2") -> frozenset[Stage]:
        """Return the stages whose shares are known, those of the pairs of `axes_pairs` as well.

        `metric` as in `atlas`.

        See Also
        --------
        atlas, axes_pairs

        Examples
        --------
        >>> few = cw.Explorer(ex.model, cw.addition.problems(50))
        >>> table = few.atlas("L1H0.result@S3")
        >>> list(map(str, few.known_atlas()))
        ['L1H0.result@S3']
        """
        key = atlas_kept.key(self._setting.digest, checked_metric(metric))
        rows, pairs = self._atlas_rows.get(key) or {}, self.axes_pairs()
        return frozenset(stage for stage in rows if atlas_kept.known(rows, stage, pairs))

    def axes_pairs(self) -> list[tuple[str, str]]:
        """Return the pairs of concepts by which the grid is arranged, those that group examples.

        See Also
        --------
        atlas_of : with their shares.

        Examples
        --------
        >>> ex.axes_pairs()[0]
        ('L0', 'R0')
        """
        names = {name for partition in self._setting.concepts.all for name in partition.names}
        pairs = dict.fromkeys(self.examples.axes.values())
        return [pair for pair in pairs if names.issuperset(pair)]

    def atlas_of(
        self,
        stages: Stages,
        *,
        concepts: Iterable[str] | None = None,
        pairs: Sequence[tuple[str, str]] = (),
        first: int | None = None,
        without: Names = (),
        metric: str = "l2",
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> Atlas:
        """Return the atlas as it is computed, with the shares of pairs of concepts as well.

        Parameters
        ----------
        stages, concepts, without, metric, progress, cancelled
            As in `atlas`.
        pairs : sequence of two names each
            Concepts that are taken together, as joint groups.
        first : int, optional
            Only so many examples, from the first: a quick look before all of them.

        See Also
        --------
        atlas : as a table.

        Examples
        --------
        >>> atlas = ex.atlas_of("L0H2.result@=", pairs=[("L2", "R2")])
        >>> bool(atlas.pair_shares[0, 0] > 0.9)
        True
        """
        known = self._partitions(concepts)
        wanted, watch, aside = (
            stage_list(stages),
            Watch.of(progress, cancelled),
            self._aside(without),
        )
        measure = checked_metric(metric)
        activations = self._setting.measured(measure)
        for stage in wanted:
            self.stage_set.width(stage)
        named = _checked_pairs(pairs)
        joint = [(known.named(a), known.named(b)) for a, b in named]
        n = len(self.examples)
        some = first is not None and checks.whole("first", first, least=2) < n
        kept = not aside and concepts is None
        key = atlas_kept.key(self._setting.digest, measure)
        rows = dict(self._atlas_rows.get(key) or {}) if kept else {}
        missing = [stage for stage in wanted if not atlas_kept.known(rows, stage, named)]
        if kept and not missing and known.all:
            return atlas_kept.atlas_of(rows, wanted, known, named, n)
        found = atlas(
            AllAside(activations, aside) if aside else activations,
            wanted if some or not kept else missing,
            known,
            pairs=joint,
            scales=self._setting.scales_of(measure).of(
                wanted if some or not kept else missing, watch.quiet()
            ),
            first=first,
            watch=watch,
        )
        if some or not kept:
            return found
        rows |= atlas_kept.rows_of(found, named)
        self._atlas_rows.put(key, rows, last=False)
        return atlas_kept.atlas_of(rows, wanted, known, named, n)

    def linear(
        self,
        stages: Stages,
        concepts: Names | None = None,
        *,
        folds: int = 5,
        seed: int = 0,
        without: Names = (),
        metric: str = "l2",
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> pd.DataFrame:
        """Return how well numbers are read off stages by a linear fit, and how much they explain.

        Parameters
        ----------
        stages : Stage or address, or iterable of them
        concepts : str or iterable of str, optional
            Concepts that are numbers, dates or spans of time. By default those of so many values
            that ranges are their groups.
        folds : int
            Into which examples are divided: each is read off by a fit to the others. Of more than
            10,000 examples 10,000 random ones are.
        seed : int
            Of that division.
        without, metric
            As in `matrix`.
        progress, cancelled
            As in `capture`; progress counts stages.

        Returns
        -------
        pandas.DataFrame
            One row a stage and concept: ``stage``; ``concept``; ``n`` examples that have a finite
            value; ``r2``, how well it is read off: R² of ridge regression from the vectors to the
            value on held-out examples, mean of the folds, below 0 where the mean does better;
            ``explained``, the share of the stage's variance that is linear in the value;
            ``ranges``, the explained share of its ranges, or values, as in the atlas. NaN where the
            values, or the vectors, are the same for all, and where fewer than two examples a fold
            have a value.

        Raises
        ------
        ValueError
            For a concept that is unknown or no number.

        See Also
        --------
        atlas : explained shares of concepts that are groups.

        Examples
        --------
        >>> found = ex.linear("L1.resid_post@S2", ["S1", "L3"])
        >>> (found.set_index("concept")["r2"] > 0.9).to_dict()
        {'S1': True, 'L3': False}
        """
        from clusterwidget.meaning.linear import linear_fits, number_columns

        checks.whole("folds", folds, 2, 100)
        checks.seed(seed)
        names = None if concepts is None else checks.names("concepts", concepts)
        chosen, numbers = stage_list(stages), number_columns(self.examples.concepts, names)
        for stage in chosen:
            self.stage_set.width(stage)
        parts = [part for name in numbers for part in self._setting.grouped(name)]
        rows: list[dict[str, Any]] = []
        with Watch.of(progress, cancelled).bar(len(chosen), "stage") as watch:
            for done, stage in enumerate(chosen):
                matrix = self.matrix(stage, without=without, metric=metric, progress=watch.quiet())
                fits = linear_fits(matrix, list(numbers.values()), folds, seed)
                shares = dict(
                    zip([part.name for part in parts], explained_shares(matrix, parts), strict=True)
                )
                rows += [
                    {"stage": str(stage), "concept": name, **vars(fit), "ranges": shares.get(name)}
                    for name, fit in zip(numbers, fits, strict=True)
                ]
                watch.step(done + 1, len(chosen))
        columns = ["stage", "concept", "n", "r2", "explained", "ranges"]
        return pd.DataFrame(rows, columns=columns).astype({"ranges": float})

    def significance(
        self,
        stages: Stages,
        concepts: Iterable[str] | None = None,
        *,
        permutations: int = 199,
        correction: Correction = "bh",
        seed: int = 0,
        metric: str = "l2",
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> pd.DataFrame:
        """Return p of each explained share, stages × concepts, by permuting the examples.

        Parameters
        ----------
        stages, concepts, metric, progress, cancelled
            As in `atlas`; progress counts permutations.
        permutations : int
            The smallest p is one over this plus one.
        correction : str
            For all stages and concepts that are asked for. ``"bh"``: false discovery rate
            (Benjamini and Hochberg 1995). ``"max"``: family-wise, against the largest share of
            each permutation (Westfall and Young 1993). ``"none"``.
        seed : int

        See Also
        --------
        atlas

        Examples
        --------
        >>> p = ex.significance("L1H0.result@S3", ["carry2", "L3"], permutations=99)
        >>> (p < 0.05).iloc[0].to_dict()
        {'carry2': True, 'L3': False}
        """
        return significance(
            self._setting.measured(checked_metric(metric)),
            stage_list(stages),
            self._partitions(concepts),
            permutations=checks.whole("permutations", permutations, 1, MOST_PERMUTATIONS),
            correction=checks.choice("correction", correction, CORRECTIONS),  # type: ignore[arg-type]
            seed=checks.seed(seed),
            watch=Watch.of(progress, cancelled),
        )

    def meaning(
        self,
        stage: Stage | str,
        *,
        concepts: Iterable[str] | None = None,
        without: Names = (),
        metric: str = "l2",
        most: float = 0.8,
        seed: int = 0,
    ) -> Meaning:
        """Return what a stage stands for: the coarsest concept that explains most of it.

        Parameters
        ----------
        stage : Stage or address
        concepts : iterable of str, optional
            Names to choose among; all by default.
        without : str or iterable of str, optional
        metric : str
            As in `matrix`.
        most : float
            Share of the best concept's explained share that the coarsest one must reach.
        seed : int
            Of the halves in which names are chosen and shares told, and of the permutations.

        See Also
        --------
        swap_test : whether the model agrees.

        Examples
        --------
        >>> print(ex.meaning("L1H0.result@S3"))
        carry2 0.99
        """
        checks.fraction("most", most)
        if most == 0:
            raise ValueError(f"most must be above 0 and at most 1, not {most}.")
        known, seed = self._named_partitions(concepts), checks.seed(seed)
        matrix = self.matrix(stage, without=without, metric=metric)
        [scale] = self._setting.scales_of(checked_metric(metric)).of([Stage.of(stage)], Watch())
        return meaning(matrix, known, scale=scale, most=most, seed=seed)

    def parts(
        self,
        stage: Stage | str,
        *,
        concepts: Iterable[str] | None = None,
        metric: str = "l2",
        seed: int = 0,
    ) -> Parts:
        """Return what a stage is made of: the concepts that together explain it.

        A vector for each value of each concept, and of two concepts together where their interplay
        adds to them, fitted jointly by least squares; concepts enter one after another, the one
        that explains most of what is left next, while one adds at least 1 % with corrected
        p ≤ 0.01. All shares are of the half of the examples that had no part in the fit.

        Parameters
        ----------
        stage : Stage or address
        concepts : iterable of str, optional
            Names to choose among; all by default.
        metric : str
            As in `matrix`.
        seed : int
            Of the halves: the same seed gives the same parts.

        See Also
        --------
        parts_of : of many stages.
        account : parts until the model agrees that they are enough.
        matrix : with parts set aside.

        Examples
        --------
        >>> print(ex.parts("L1H0.result@S3"))
        carry2 99%, unexplained 1%
        """
        one = Stage.of(stage)
        return self.parts_of(one, concepts=concepts, metric=metric, seed=seed)[one]

    def parts_of(
        self,
        stages: Stages | None = None,
        *,
        concepts: Iterable[str] | None = None,
        metric: str = "l2",
        seed: int = 0,
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> dict[Stage, Parts]:
        """Return the parts of many stages, captured a few at a time and not held together.

        Parameters
        ----------
        stages : Stage or address, or iterable of them, optional
            All by default.
        concepts, metric, seed
            As in `parts`.
        progress, cancelled
            As in `capture`.

        See Also
        --------
        parts

        Examples
        --------
        >>> found = ex.parts_of(["L1H0.result@S3", "L0H2.result@="])
        >>> [parts.concepts[0] for parts in found.values()]
        ['carry2', 'carry3']
        """
        wanted = self.stages() if stages is None else stage_list(stages)
        chosen = None if concepts is None else checks.names("concepts", concepts)
        known, seed = self._named_partitions(chosen), checks.seed(seed)
        measure = checked_metric(metric)
        settings = PartsSettings(tuple(chosen or ()), seed, len(self.examples), measure)
        watch = Watch.of(progress, cancelled)
        missing = [stage for stage in wanted if self._known_parts.get(stage, settings) is None]
        for stage in missing:
            self.stage_set.width(stage)
        if missing:
            found_scales = self._setting.scales_of(measure).of(missing, watch.quiet())
            scales = dict(zip(missing, found_scales, strict=True))
            from clusterwidget.meaning.fitting import PartsFinder

            finder = PartsFinder(known, len(self.examples), seed)
            for stage, matrix in self._setting.measured(measure).each(missing, watch):
                parts = NOTHING
                spread, length = spread_of(matrix)
                if is_same_for_all(spread, length, scales[stage]):
                    parts = replace(NOTHING, spread=spread)
                else:
                    parts = finder.parts(matrix)
                self._known_parts.put(stage, settings, parts)
        found = {stage: self._known_parts.get(stage, settings) for stage in wanted}
        return {stage: parts for stage, parts in found.items() if parts is not None}

    def components(
        self, stage: Stage | str, *, without: Names = (), metric: str = "l2", most: int = 5
    ) -> Components:
        """Return the leading principal components of a stage, or of what is left of it.

        Where much is left that no concept explains, its directions may suggest one: look at the
        examples at their two ends, and make a concept of what tells them apart.

        Parameters
        ----------
        stage : Stage or address
        without : str or iterable of str, optional
        metric : str
            As in `matrix`.
        most : int
            At most so many components.

        See Also
        --------
        add_concept, parts

        Examples
        --------
        >>> found = ex.components("L0H0.result@S3", without="L2")
        >>> ex.add_concept("component", found.ranges(0))
        >>> ex.meaning("L0H0.result@S3", concepts=["component"], without="L2").concept
        'component'
        """
        most = checks.whole("most", most, 1)
        return components(self.matrix(stage, without=without, metric=metric), most)

    def layout(
        self,
        stage: Stage | str,
        method: str = "pca",
        *,
        without: Names = (),
        metric: str = "l2",
        seed: int = 0,
    ) -> Layout:
        """Return the examples of a stage as points of a plane, what the widget's map shows.

        The two leading principal components keep as much of the distances as any plane can: see
        `Layout.shares` for how much that is. An axis points to where its largest weight is
        positive, so that the same stage is never mirrored.

        Parameters
        ----------
        stage : Stage or address
        method : "pca" or "umap"
            Principal components, or UMAP (McInnes et al. 2018), where ``umap-learn`` is installed:
            it keeps near examples near, and says nothing of far ones.
        without : str or iterable of str, optional
        metric : str
            As in `matrix`.
        seed : int

        Returns
        -------
        Layout
            With ``points``, shape (N, 2), float32, and ``shares``, shape (2,).

        Raises
        ------
        ImportError
            Where UMAP is asked for and not installed.

        See Also
        --------
        components : more than two, to make concepts of.
        clusters : groups in place of a picture.

        Examples
        --------
        >>> found = ex.layout("L1H0.result@S3")
        >>> found.points.dtype.name, bool(found.shares.sum() > 0.5)
        ('float32', True)
        """
        checks.choice("method", method, LAYOUTS)
        seed, names = checks.seed(seed), tuple(checks.names("without", without))
        matrix = self.matrix(stage, without=without, metric=metric)
        if method == "pca":
            return layout(matrix, method, seed)
        # UMAP takes minutes where components take a moment.
        key = (str(Stage.of(stage)), names, metric, seed)
        if key not in self._maps or len(self._maps[key].points) != len(matrix):
            self._maps[key] = layout(matrix, method, seed)
            for oldest in list(self._maps)[:-_MOST_MAPS]:
                del self._maps[oldest]
        return self._maps[key]

    def add_concept(self, name: str, values: npt.ArrayLike, description: str | None = None) -> None:
        """Add a concept to the examples, or replace the one of this name.

        Parameters
        ----------
        name : str
        values : array-like, shape (N,)
            One for each example, as in `Examples`.
        description : str, optional
            What it says, in one plain sentence.

        Raises
        ------
        TypeError, ValueError
            For what cannot be a concept, and for other than one value an example.

        See Also
        --------
        components, clusters, Examples.with_concept

        Examples
        --------
        >>> ex.add_concept("even", ex.examples.concepts["S0"] % 2 == 0)
        >>> ex.atlas("L1.resid_post@S1", ["even", "S0"]).columns.tolist()
        ['even', 'S0']
        """
        examples = self.examples.with_concept(name, values, description=description)
        partitions(examples.concepts, [name])
        if name in self.examples.concepts:
            self._kept.forget(name)
        self._setting = replace(self._setting, examples=examples)
        self._known_parts = KnownParts()

    def lens(self, stage: Stage | str, example: int, top: int = 5) -> pd.DataFrame:
        """Return the logit lens: what the model would answer if it stopped at a stage.

        Returns
        -------
        pandas.DataFrame
            The `top` tokens, likeliest first: ``token``, ``text``, and ``probability`` for the
            residual stream and the logits, or ``contribution`` to the logits for what is added to
            the stream.

        See Also
        --------
        lens_agreement

        Examples
        --------
        >>> ex.lens("L1.resid_post@S4", 42, top=1)["text"].item()
        '2'
        """
        example = checks.checked_index(example, len(self.examples))
        top = checks.whole("top", top, least=1)
        logits, column = self._lens_values(Stage.of(stage), np.array([example]))
        order = np.argsort(-logits[0], kind="stable")[:top]
        return pd.DataFrame(
            {
                "token": order,
                "text": [self.examples.token_text(int(token)) for token in order],
                column: logits[0][order],
            }
        )

    def lens_agreement(
        self, stage: Stage | str, example: int, k: int | None = None, *, metric: str = "l2"
    ) -> tuple[int, int]:
        """Return at how many of the k neighbors the lens gives the same token, and k.

        `metric` as in `matrix`.

        See Also
        --------
        lens, neighbors

        Examples
        --------
        >>> ex.lens_agreement("L1.resid_post@S4", 42, k=20)
        (20, 20)
        """
        k = self._k(k)
        near = self.neighbors(stage, example, k, metric=metric)["example"].to_numpy()
        values, _ = self._lens_values(Stage.of(stage), np.array([example, *near]))
        tokens = values.argmax(axis=1)
        return int((tokens[1:] == tokens[0]).sum()), k

    def clusters(
        self,
        stage: Stage | str,
        n: int | None = None,
        *,
        method: str = "kmeans",
        concepts: Iterable[str] | None = None,
        without: Names = (),
        metric: str = "l2",
        seed: int = 0,
    ) -> Clusters:
        """Return the clusters of a stage, each named by the concepts enriched in it.

        Parameters
        ----------
        stage : Stage or address
        n : int, optional
            How many, from 2 to N. By default the number, up to 20, of which the silhouette of a
            sample is largest. HDBSCAN finds its own number.
        method : "kmeans" or "hdbscan"
        concepts : iterable of str, optional
            Names to choose among; all by default.
        without : str or iterable of str, optional
        metric : str
            As in `matrix`.
        seed : int

        See Also
        --------
        meaning

        Examples
        --------
        >>> ex.clusters("L1H0.result@S3", 2).names
        ('514: carry2 = 0, makes2 = 0', '486: carry2 = 1, makes2 = 1')
        """
        from clusterwidget.meaning.clusters import METHODS, find_clusters

        checks.choice("method", method, METHODS)
        if n is not None:
            checks.whole("n", n, 2, len(self.examples))
        known, seed = self._partitions(concepts).all, checks.seed(seed)
        self._aside(without)
        stage, names = Stage.of(stage), checks.names("without", without)
        measure = checked_metric(metric)
        key = clusters_kept.key(str(stage), names, n, method, seed, self._setting.digest, measure)
        found = None if concepts is not None else self._clusters.get(key)
        if found is None:
            matrix = self.matrix(stage, without=without, metric=metric)
            found = find_clusters(matrix, known, n, method=method, seed=seed)
            if concepts is None:
                self._clusters.put(key, found)
        return found

    def known_clusters(self, stages: Stages, *, metric: str = "l2") -> dict[Stage, Clusters]:
        """Return the clusters that were found with default settings at some stages, by stage.

        `metric` as in `clusters`.

        See Also
        --------
        clusters

        Examples
        --------
        >>> few = cw.Explorer(ex.model, cw.addition.problems(50))
        >>> few.known_clusters("L1H0.result@S3")
        {}
        >>> names = few.clusters("L1H0.result@S3").names
        >>> list(map(str, few.known_clusters(few.stages("result"))))
        ['L1H0.result@S3']
        """
        found, measure = {}, checked_metric(metric)
        for stage in stage_list(stages):
            key = clusters_kept.key(
                str(stage), [], None, "kmeans", 0, self._setting.digest, measure
            )
            clusters = self._clusters.get(key)
            if clusters is not None:
                found[stage] = clusters
        return found

    # What happens when something inside the model is changed.

    def swap(
        self, stage: Stage | str, receiver: Chosen, donor: Chosen, *, free: bool = False
    ) -> Swap:
        """Return what the model answers to one example with another's vector at a stage.

        Parameters
        ----------
        stage : Stage or address
            Any but the logits. `result` is put in through `z`, attention scores through `pattern`.
        receiver, donor : int or row of T tokens
            Whose input is run, and whose vector is put in.
        free : bool
            Feed the model its own answers rather than the right ones.

        Returns
        -------
        Swap
            Its `table` has the answers before and after.

        See Also
        --------
        swap_test : many swaps, and what they say of the stage.

        Examples
        --------
        >>> swap = ex.swap("L1.resid_post@S4", receiver=42, donor=7)
        >>> swap.table.set_index("answer").loc["S3", ["before", "after"]].tolist()
        ['2', '5']
        """
        self._setting.require_model()
        from clusterwidget.interventions.swap import swap

        stage = Stage.of(stage)
        self.stage_set.width(stage)
        return swap(self._setting.bench, stage, receiver, donor, free=checks.flag("free", free))

    def swap_test(
        self,
        stage: Stage | str,
        answer: str | None = None,
        concept: str | Iterable[str] | None = None,
        *,
        how: Literal["vector", "part"] = "vector",
        pairs: int = 1000,
        seed: int = 0,
        free: bool = False,
        metric: str = "l2",
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> SwapTest:
        """Return how much of the answers survives when a stage's vector comes from elsewhere.

        Six donors for each receiver: its nearest neighbor, one of its 20 nearest, an example with
        the same value of a concept, one with the same value and far away, any example, and the
        mean of all. Resampling ablation under a hypothesis (Chan et al., "Causal scrubbing", 2022).
        Where an answer has a rule that says how it comes from the concept, the test also reports
        whether the answer follows when the value is changed: interchange intervention accuracy
        (Geiger et al., 2021), on any pairs and on pairs that differ in little else.
        At a stage where none of 256 random donors changes an answer the test ends there.

        Parameters
        ----------
        stage : Stage or address
        answer : str, optional
            The answer that the verdict is about; by default the one that random swaps cost most.
        concept : str or iterable of str, optional
            Several are taken together: donors share all their values. By default the one that
            names the stage: see `meaning`.
        how : "vector" or "part"
            What is put in to see whether the answer follows: the donor's whole vector, or the
            concept's part of it alone, the donor's mean of its value in place of the receiver's,
            ``x - mean[c(receiver)] + mean[c(donor)]``. All else is always of whole vectors.
        pairs : int
            How many receivers, each one a different example: at most as many as there are.
        seed : int
            Decides the receivers, their donors and the bootstrap.
        free : bool
            Feed the model its own answers rather than the right ones.
        metric : str
            By which donors are near or far, and the concept that names the stage is found: see
            `matrix`. What is put in is always the donor's own vector.
        progress, cancelled
            As in `capture`. What a test that was called off has done is kept: called again it goes
            on from there.

        Raises
        ------
        ValueError
            Where the stage cannot be swapped or reaches no answer, the concept has one value, or
            hardly two examples share the values of several.
        CaptureCancelledError

        See Also
        --------
        swap_tests : of many stages.
        meaning, trace

        Examples
        --------
        >>> test = ex.swap_test("L1H0.result@S3", pairs=100)
        >>> test.verdict, test.concept, test.sets
        ('enough', 'carry2', 'shares')
        """
        stage, settings = Stage.of(stage), _settings(concept, how, pairs, seed, free, metric)
        watch = Watch.of(progress, cancelled)
        known = self._kept.get(stage, settings)
        if known is not None and answer is None:
            return known
        if known is None:
            self.stage_set.width(stage)
            self._setting.require_model(watch)
        from clusterwidget.interventions.swaptests import swap_test

        return swap_test(self._setting, self._kept, stage, settings, answer, watch)

    def swap_tests(
        self,
        stages: Stages | None = None,
        *,
        pairs: int = 1000,
        seed: int = 0,
        metric: str = "l2",
        budget: float | str | None = None,
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> pd.DataFrame:
        """Return the verdicts of the swap tests of many stages, making those that are missing.

        With a budget, the time is estimated from a timed run, and spent on the stages where another
        example's vector would cost the answers most, by attribution: see `attribution`.
        Each test is kept as soon as it is made, also in the saved exploration if there is one, so
        that what was called off goes on from there.

        Parameters
        ----------
        stages : Stage or address, or iterable of them, optional
            By default what heads, attention and MLPs write at the positions of the answers.
        pairs, seed, metric
            As in `swap_test`.
        budget : float or str, optional
            How long it may take, in seconds or as ``"5min"``. Stages that are left out are in the
            table's ``attrs["not_tested"]``, and a warning counts them.
        progress : function of (stages done, stages in all), optional
        cancelled : function, optional

        Returns
        -------
        pandas.DataFrame
            Indexed by stage: ``verdict``, ``sets``, ``answer``, ``concept``, ``far``, what is
            recovered with a far example of the same value, ``near``, with a near one, and
            ``sentence``.

        Raises
        ------
        ValueError
            As `swap_test`; and where the budget is too short for one test, with what would do.

        See Also
        --------
        attribution, swap_test, known_swap_tests

        Examples
        --------
        >>> ex.swap_tests("L1H0.result@S3", pairs=100)["verdict"].to_dict()
        {'L1H0.result@S3': 'enough'}
        """
        from clusterwidget.interventions.swaptests import default_stages, swap_tests

        wanted = default_stages(self._setting) if stages is None else stage_list(stages)
        settings = _settings(None, "vector", pairs, seed, False, metric)
        watch = Watch.of(progress, cancelled)
        seconds = budget_seconds(budget)
        tests, left_out = swap_tests(self._setting, self._kept, wanted, settings, watch, seconds)
        table = verdicts(tests)
        table.attrs["not_tested"] = [str(stage) for stage in left_out]
        if left_out:
            warnings.warn(
                f"{len(tests):,} of {len(wanted):,} stages were tested: the budget of "
                f"{duration_text(seconds or 0)} leaves out the {len(left_out):,} that attribution "
                'says matter least, which table.attrs["not_tested"] lists. Called again, it goes '
                "on from there.",
                stacklevel=2,
            )
        return table

    def attribution(self, stages: Stages | None = None, *, seed: int = 0) -> pd.DataFrame:
        """Return what another example's vector at each stage would cost the answers, estimated.

        What the replacement changes times the gradient of an answer's log odds: attribution
        patching (Nanda, 2023). One run forward and one backward for each answer, whatever the
        number of stages: an order in which to look, not a result. A stage that saturates (an
        attention pattern that is all on one token) is underestimated.

        Parameters
        ----------
        stages : Stage or address, or iterable of them, optional
            By default those of `swap_tests`.
        seed : int
            Of the 16 examples.

        Returns
        -------
        pandas.DataFrame
            Indexed by stage, the highest first: ``cost`` in nats of log odds, the mean over the
            examples, of the answer that loses most.

        Raises
        ------
        ValueError
            Where a stage cannot be swapped.

        See Also
        --------
        swap_tests : what is true, by runs.

        Examples
        --------
        >>> table = ex.attribution(["L1H0.result@S3", "L1H1.result@S3"])
        >>> table.index[0]
        'L1H0.result@S3'
        """
        self._setting.require_model()
        from clusterwidget.interventions.attribution import stage_costs
        from clusterwidget.interventions.swaptests import default_stages

        seed = checks.seed(seed)
        wanted = default_stages(self._setting) if stages is None else stage_list(stages)
        costs = stage_costs(self._setting.bench, wanted, seed)
        found = pd.DataFrame(
            {"stage": [str(stage) for stage in costs], "cost": list(costs.values())}
        )
        return found.sort_values("cost", ascending=False, kind="stable").set_index("stage")

    def known_swap_tests(self, *, metric: str = "l2") -> dict[Stage, SwapTest]:
        """Return the swap tests that were made with default settings, or more pairs, by stage.

        `metric` as in `swap_test`.

        See Also
        --------
        swap_tests

        Examples
        --------
        >>> few = cw.Explorer(ex.model, cw.addition.problems(50))
        >>> few.known_swap_tests()
        {}
        >>> table = few.swap_tests("L1H0.result@S3")
        >>> list(map(str, few.known_swap_tests()))
        ['L1H0.result@S3']
        """
        return self._kept.by_default(checked_metric(metric))

    def account(
        self,
        stage: Stage | str,
        answer: str | None = None,
        *,
        pairs: int = 1000,
        seed: int = 0,
        metric: str = "l2",
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> Account:
        """Add the parts of a stage, one after another, until the swap test says that they suffice.

        Parameters
        ----------
        stage : Stage or address
        answer, pairs, seed, metric, progress, cancelled
            As in `swap_test`.

        Returns
        -------
        Account
            Its `closed` says whether some parts together are enough, `concepts` which.

        See Also
        --------
        parts, swap_test

        Examples
        --------
        >>> ex.account("L0H0.result@S3", pairs=200).sentence
        'L2 and R2 together are enough here.'
        """
        stage = Stage.of(stage)
        settings = _settings(None, "vector", pairs, seed, False, metric)
        watch = Watch.of(progress, cancelled)
        self._setting.require_model(watch)
        from clusterwidget.interventions.accounts import account

        parts = self.parts(stage, metric=metric)
        return account(self._setting, self._kept, stage, parts, settings, answer, watch)

    def known_accounts(self, *, metric: str = "l2") -> dict[Stage, SwapTest]:
        """Return the swap tests that say "enough", by stage: what was accounted for so far.

        `metric` as in `swap_test`.

        See Also
        --------
        account, known_swap_tests

        Examples
        --------
        >>> few = cw.Explorer(ex.model, cw.addition.problems(500))
        >>> few.known_accounts()
        {}
        """
        return self._kept.closed(checked_metric(metric))

    def ablate(
        self,
        what: Stage | Edge | str | Sequence[Stage | Edge | str],
        example: int | Sequence[int] | None = None,
        *,
        method: Literal["mean", "resample", "zero", "drop"] = "mean",
        draws: int = 20,
        renormalize: bool = False,
        readout: Callable[[Float32Array], Any] | None = None,
        seed: int = 0,
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> pd.DataFrame:
        """Return what answers lose without a stage, or without edges between stages.

        Of one example, or of many stages and many examples in one call.

        Parameters
        ----------
        what : Stage, Edge or the address of one, or a sequence of stages or of edges
            ``"L1H0.result@S3"``, or ``"embed@L2 -> L0H1.result@="``: see `core.edges.edge_kind`.
            Of a sequence of edges, all are cut together; of stages, each by itself. Where positions
            are other tokens in each example, edges are between any of its tokens: see `trace`.
        example : int, or sequence of int
            By default all examples; edges are cut in one.
        method : "mean", "resample", "zero" or "drop"
            What it is replaced by: its mean over the examples (2,000 random ones of them where
            there are more), what it is in random examples, drawn `draws` times, or zeros. An
            attention edge can be dropped instead: its weight becomes 0.
        draws : int
        renormalize : bool
            With "drop", whether the head's other weights grow so that they sum to 1 again. With
            "mean" and "resample" no weight changes: what the head brings from there is replaced.
        readout : function of logits, shape (n, answers, d_vocab), optional
            Returns one number for each example; of several examples its mean is reported.
        seed : int
            Of the draws.
        progress, cancelled
            As in `capture`; progress counts runs.

        Returns
        -------
        pandas.DataFrame
            Of several examples one row for each stage and answer: ``stage``, ``answer``,
            ``title``, the mean ``loss`` in nats of what the model answers by itself, ``kept``, in
            which share of the ``runs`` that stays the answer, and, with a readout, its mean
            ``readout`` and ``readout_before``. Of one example one row an answer: ``answer``,
            ``title``, the text ``before`` with its ``probability``, what it becomes ``after``, most
            often; ``kept``, in which share of the draws it stays; ``kept_probability`` and ``loss``
            in nats, means over draws; ``unusual``, the median of the distance to the nearest
            reference activation, over its usual size.

        See Also
        --------
        trace, swap

        Examples
        --------
        >>> table = ex.ablate("L1.mlp_out@S3", 42)
        >>> table.set_index("answer").loc["S2", ["before", "after"]].tolist()
        ['3', '4']
        >>> heads = ex.stages("result", layers=1, positions="S3")
        >>> table = ex.ablate(heads, method="zero")
        >>> table.query("answer == 'S2'").set_index("stage")["kept"].round(1).tolist()
        [0.7, 1.0, 1.0, 1.0]
        """
        watch = Watch.of(progress, cancelled)
        self._setting.require_model(watch)
        from clusterwidget.interventions.ablation import (
            ablate_edges,
            ablate_stage,
            checked_items,
            checked_method,
        )

        seed, setting = checks.seed(seed), self._setting
        single = isinstance(example, (int, np.integer)) and not isinstance(example, bool)
        unrolled = None
        if single and self.stage_set.layout is not None:
            row = checks.checked_index(example, len(self.examples))  # type: ignore[arg-type]
            unrolled = setting.unrolled(row)
        item = checked_items(what, self.stage_set, causal=setting.causal, unrolled=unrolled)
        items = [item] if isinstance(item, Stage) else item
        checked = checked_method(items, method, draws, renormalize=renormalize)
        checks.function("readout", readout)
        if single and isinstance(item, Stage) and readout is None:
            row = checks.checked_index(example, len(self.examples))  # type: ignore[arg-type]
            return ablate_stage(setting.bench, item, row, checked, seed)
        stages = [each for each in items if isinstance(each, Stage)]
        if stages:
            from clusterwidget.interventions.ablations import ablate_stages

            rows = self._rows(example)
            return ablate_stages(setting.bench, stages, rows, checked, readout, seed, watch)
        edges = [each for each in items if isinstance(each, Edge)]
        if not single:
            raise TypeError(
                f"edges are cut in one example, given by its index, not in {checks.shown(example)}."
            )
        if readout is not None:
            raise TypeError("readout goes with stages: leave it out where edges are cut.")
        row = checks.checked_index(example, len(self.examples))  # type: ignore[arg-type]
        bench, means = setting.bench_of(row)
        return ablate_edges(bench, means, edges, row, checked, seed)

    def trace(
        self,
        example: int,
        answer: str,
        *,
        method: Literal["resample", "mean"] = "resample",
        draws: int = DRAWS,
        threshold: float = THRESHOLD,
        least: float = LEAST,
        seed: int = 0,
        budget: float | str | None = None,
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> Trace:
        """Return the stages and edges that one answer came through.

        An edge is cut by putting in what it brings in another example; where heads look stays the
        model's own choice. The trace keeps the edges that the answer needs: cutting all the others
        together leaves it as it was. Automated circuit discovery (Conmy et al., 2023) for a single
        example.

        Where positions are other tokens in each example, edges run over all tokens of this one: a
        token at a position is called by its name, any other by its index from 0 in the example
        (``"token 1"`` where a position is called ``"1"``). What is put in for a token is what other
        examples hold at the same position, and between positions in proportion.

        Parameters
        ----------
        example : int
        answer : str
            Name of an answer.
        method : "resample" or "mean"
            What is put in: the same from each of `draws` random examples in turn, all of which the
            answer must bear, or the mean over the examples (2,000 random ones where there are
            more). A mean can keep an answer by favoring it.
        draws : int
        threshold : float
            Attention above which a head looks at a position; what is fainter is left alone.
        least : float
            Share of its probability that the answer must keep to be as it was. It must also stay
            the likeliest.
        seed : int
            Of the draws.
        budget : float or str, optional
            How long it may take, in seconds or as ``"5min"``. Layers that are not reached by then
            are left as they are, all of whose edges stay uncut: `Trace.unexamined` counts them.
        progress, cancelled
            As in `capture`; progress counts layers.

        Raises
        ------
        ValueError
            For an answer that is not there, and where the budget is too short to begin.

        See Also
        --------
        ablate

        Notes
        -----
        Edges are cut in the order that attribution gives (see `attribution`), as many at once as
        the answer bears, and each that is left is then cut for real. In a large model it is not
        measured what each edge and stage costs alone.

        Examples
        --------
        >>> trace = ex.trace(42, "S3")
        >>> trace.edges.query("kept and kind == 'attention'")["source"].iloc[0]
        'L0.resid_post@R2'
        """
        watch = Watch.of(progress, cancelled)
        example = checks.checked_index(example, len(self.examples))
        checks.choice("method", method, ("resample", "mean"))
        for name, value in (("threshold", threshold), ("least", least)):
            if checks.fraction(name, value) == 1:
                raise ValueError(f"{name} must be from 0 up and below 1, not {value}.")
        checks.text("answer", answer)
        drawn = None if method == "mean" else checks.whole("draws", draws, 1, checks.MOST_DRAWS)
        settings = TraceSettings(drawn, float(threshold), float(least), checks.seed(seed))
        key = trace_kept.key(example, answer, settings, self._setting.digest)
        known = self._traces.get(key)
        seconds = budget_seconds(budget)
        if known is not None:
            return known
        self._setting.require_model(watch)
        from clusterwidget.interventions.trace import traced

        at = question_named(self._setting.answers, answer)
        found = traced(
            self._setting,
            example,
            at,
            draws=settings.draws,
            threshold=settings.threshold,
            least=settings.least,
            seed=settings.seed,
            budget=seconds,
            watch=watch,
        )
        if not found.unexamined:
            self._traces.put(key, found)
        return found

    def known_traces(self) -> dict[tuple[int, str], Trace]:
        """Return the traces that were made with default settings, by example and answer.

        See Also
        --------
        trace, known_swap_tests

        Examples
        --------
        >>> few = cw.Explorer(ex.model, cw.addition.problems(50))
        >>> few.known_traces()
        {}
        >>> trace = few.trace(7, "S3")
        >>> list(few.known_traces())
        [(7, 'S3')]
        """
        settings = TraceSettings(DRAWS, THRESHOLD, LEAST, 0)
        saved = {} if self.path is None else records(self.path, self._traces.kind)
        documents = {**saved, **self._traces.records()}
        found: dict[tuple[int, str], Trace] = {}
        for document in documents.values():
            example: Any = document.get("example")
            answer: Any = document.get("answer")
            key = trace_kept.key(example, answer, settings, self._setting.digest)
            if key in documents and (trace := self._traces.get(key)) is not None:
                found[trace.example, trace.answer] = trace
        return found

    def get_ready(
        self,
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        """Run the reference examples now, so that the first swap takes no longer than the others.

        See Also
        --------
        swap

        Examples
        --------
        >>> ex.get_ready()
        """
        if self.has_model:
            watch = Watch.of(progress, cancelled)
            self._setting.require_model(watch)
            self._setting.bench.get_ready(watch)

    # How an exploration is kept.

    def save(
        self,
        path: str | os.PathLike[str],
        stages: Stages | None = None,
        *,
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        """Save the exploration as one Zarr group: examples, stage matrices, and what was made.

        That is its atlas, parts, swap tests, clusters and traces.

        Whole or not at all; an exploration that is there is replaced. Functions are not saved: of
        a vocabulary the texts of the tokens that occur are, of `parse` nothing.

        Parameters
        ----------
        path : path of the folder, such as ``"adder.zarr"``
        stages : Stage or address, or iterable of them, optional
            Captured first where they must be. By default those that are held.
        progress, cancelled
            As in `capture`.

        Raises
        ------
        FileExistsError, FileNotFoundError
            Where the path holds something else, or its folder is not there.
        CaptureCancelledError
            Nothing was saved then.

        See Also
        --------
        open

        Examples
        --------
        >>> ex.save(folder / "adder.zarr", ["L1H0.result@S3"])
        >>> cw.open(folder / "adder.zarr").neighbors("L1H0.result@S3", 42, k=1)["label"].item()
        '8583+9608=18191'
        """
        chosen = None if stages is None else stage_list(stages)
        if chosen == []:
            raise ValueError(
                f"no stage is named by {checks.shown(stages)}, so there is nothing to save: name "
                "one, or leave stages out for those that are held."
            )
        watch = Watch.of(progress, cancelled)
        self.path = save(path, self._setting, self._records(), self.path, chosen, watch)

    def _records(self) -> Records:
        return {
            RECORDS: self._kept.records(),
            PARTS: self._known_parts.records(),
            self._traces.kind: self._traces.records(),
            self._clusters.kind: self._clusters.records(),
            self._atlas_rows.kind: self._atlas_rows.records(),
        }

    def _keep(self, kind: str, key: str, document: dict[str, Any]) -> None:
        """Keep a new result in the saved exploration, if there is one that can be written to."""
        if not self._keeps or self.path is None or not self.path.exists():
            return
        try:
            put_record(self.path, kind, key, document)
        except PermissionError:
            # A published exploration is often read-only: what is made stays in memory.
            self._keeps = False
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            self._keeps = False

    def _begin_to_keep(self) -> None:
        """Keep traces, clusters and the atlas: in memory, and where this one is saved."""
        self._traces = Kept(
            trace_kept.RECORDS, trace_kept.document, trace_kept.restored, self._read, self._keep
        )
        self._clusters: Kept[Clusters] = Kept(
            clusters_kept.RECORDS, clusters_kept.document, self._clusters_of, self._read, self._keep
        )
        self._atlas_rows: Kept[atlas_kept.Rows] = Kept(
            atlas_kept.RECORDS, atlas_kept.document, self._atlas_rows_of, self._read, self._keep
        )

    def _read(self, kind: str, key: str) -> Document | None:
        """Return what is saved of a result, if anything is."""
        return None if self.path is None else record(self.path, kind, key)

    def _clusters_of(self, document: Document) -> Clusters:
        return clusters_kept.restored(len(self.examples), document)

    def _atlas_rows_of(self, document: Document) -> atlas_kept.Rows:
        return atlas_kept.restored(len(self._setting.concepts.all), document)

    def _k(self, k: int | None) -> int:
        n = len(self.examples)
        return default_k(n) if k is None else checks.checked_k(k, n)

    def _rows(self, examples: int | Sequence[int] | None) -> npt.NDArray[np.int64]:
        """Return examples as an array of their indices; None stands for all."""
        n = len(self.examples)
        if examples is None:
            return np.arange(n)
        given = examples if checks.several(examples) else [examples]
        rows = [checks.checked_index(row, n) for row in given]  # type: ignore[union-attr,arg-type]
        if not rows:
            raise ValueError(
                f"no example is named by {checks.shown(examples)}: name one, or leave it out for "
                "all of them."
            )
        return np.array(rows, np.int64)

    def _aside(self, without: Names) -> tuple[Partition, ...]:
        """Return the groups of concepts that are set aside, or raise where they cannot be."""
        return self._setting.asides["l2"].groups(checks.names("without", without))

    def _named_partitions(self, names: Iterable[str] | None) -> Partitions:
        known = self._partitions(names)
        if not known.all:
            raise ValueError(
                "there is no concept to name the stage by: give the examples concepts that differ "
                "between them."
            )
        return known

    def _partitions(self, names: Iterable[str] | None) -> Partitions:
        """Return some concepts as groups of examples, the latest choice kept."""
        if names is None:
            return self._setting.concepts
        chosen = tuple(checks.names("concepts", names))
        if not chosen:
            raise ValueError(
                f"no concept is named by {checks.shown(names)}: name one, or leave concepts out "
                "for all of them."
            )
        if self._chosen is None or self._chosen[:2] != (self.examples, chosen):
            made = partitions(self.examples.concepts, chosen)
            self._chosen = (self.examples, chosen, made)
        return self._chosen[2]

    def _lens_values(self, stage: Stage, rows: npt.NDArray[np.int64]) -> tuple[Float32Array, str]:
        self.stage_set.width(stage)
        if not self.has_model:
            raise ValueError(
                "the logit lens needs the model's unembedding: make the Explorer with the model, "
                "or open a saved exploration with it, cw.open(path, model=model)."
            )
        model = self.model
        from clusterwidget.model.lens import lens_values

        assert model is not None

        def chosen(stage: Stage) -> Float32Array:
            return self._setting.activations.vectors(stage, rows)

        return lens_values(model, stage, chosen, np.arange(len(rows)))

    def _why_none_is_added(self) -> str:
        if self.path is not None:
            return "open the exploration with cw.open(path, model=model, parse=…) to type others."
        return "their activations were given." if not self.has_model else "none can be typed."


def open(  # noqa: A001 - cw.open reads well
    path: str | os.PathLike[str],
    model: Any = None,
    *,
    parse: Callable[[str], Examples] | None = None,
    vocabulary: Vocabulary | None = None,
    rules: Mapping[str, Any] | None = None,
    memory: int | str = 2 << 30,
    keep: bool = True,
) -> Explorer:
    """Open an exploration that `Explorer.save` wrote; its matrices are read when asked for.

    Parameters
    ----------
    path : path of the folder
    model : Model or function of no arguments, optional
        The one that it was saved from, for stages that were not saved, the logit lens, swaps and
        traces; or what returns it, such as ``cw.addition.load_model``: called when the first
        question needs the model, and never for what was saved.
    parse, vocabulary : optional
        As in `Examples`: functions that were not saved.
    rules : mapping of an answer's name to its rule, optional
        As in `Answer`: functions that were not saved.
    memory : int or str, optional
        As in `Explorer`.
    keep : bool
        Whether swap tests, traces and clusters that are made are written into it at once. Where it
        is published for others to look at, ``keep=False`` leaves it as it is.

    Raises
    ------
    FileNotFoundError, ValueError
        Where no exploration is there, it is damaged, or the model is another one.

    See Also
    --------
    Explorer.save

    Examples
    --------
    >>> ex.save(folder / "saved.zarr", ["L1H0.result@S3"])
    >>> cw.open(folder / "saved.zarr").holds("L1H0.result@S3")
    True
    """
    store = Store(checks.folder(path))
    if rules is not None and not isinstance(rules, Mapping):
        raise TypeError(
            f"rules must be a mapping of answers' names to their rules, not {checks.shown(rules)}."
        )
    examples = store.examples(parse=parse, vocabulary=vocabulary, rules=rules)
    explorer = Explorer(model, examples, memory=memory, saved=store, keep=keep)
    try:
        explorer._kept.restore(records(store.path, RECORDS))
        explorer._known_parts.restore(records(store.path, PARTS))
    except ValueError as error:
        raise ValueError(f"{store.path} cannot be opened: {error}") from error
    return explorer


def _fits(examples: Examples, saved: Store | None) -> Callable[[Model], StageSet]:
    """Return what checks a model against the examples and what was saved of it."""

    def check(model: Model) -> StageSet:
        check_inputs(model, examples.inputs)
        from clusterwidget.model.stages import model_stages

        stages = model_stages(model, examples.positions, examples.places.layout)
        if saved is not None:
            saved.require_model(model, stages, examples.inputs)
        return stages

    return check


def _settings(
    concept: str | Iterable[str] | None, how: str, pairs: int, seed: int, free: bool, metric: str
) -> Settings:
    concepts = () if concept is None else tuple(checks.names("concept", concept))
    if concept is not None and not concepts:
        raise ValueError(
            f"no concept is named by {checks.shown(concept)}: name one, or leave concept out for "
            "the one that names the stage."
        )
    if len(set(concepts)) < len(concepts):
        raise ValueError(f"a concept is named twice in {checks.shown(list(concepts))}.")
    for name in concepts:
        checks.text("concept", name)
    checks.choice("how", how, HOW)
    pairs = checks.whole("pairs", pairs, least=2)
    checked: Metric = checked_metric(metric)
    return Settings(concepts, pairs, checks.seed(seed), checks.flag("free", free), how, checked)


def _checked_pairs(pairs: Any) -> list[tuple[str, str]]:
    if not checks.several(pairs):
        raise TypeError(f"pairs must be a list of two concepts each, not {checks.shown(pairs)}.")
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(f"a pair is two concepts, not {checks.shown(pair)}.")
        checks.names("pairs", pair)
    return [(first, second) for first, second in pairs]
