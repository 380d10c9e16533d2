"""ClusterWidget: the explorer on screen, in JupyterLab, Colab and Voila."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anywidget
import numpy as np
import numpy.typing as npt
import pandas as pd
import traitlets

from clusterwidget.core.checks import (
    checked_index,
    checked_k,
    choice,
    fraction,
    number,
    shown,
)
from clusterwidget.core.examples import Examples
from clusterwidget.core.metrics import METRICS
from clusterwidget.core.notebook import is_unattended
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Cancelled, Progress, Watch
from clusterwidget.explorer import Explorer, Stages
from clusterwidget.meaning.aside import partitions_aside
from clusterwidget.meaning.layouts import known_methods
from clusterwidget.meaning.neighbors import default_k
from clusterwidget.plot.arrangement import ARRANGEMENTS
from clusterwidget.plot.output import Shown, is_waited_for, with_picture
from clusterwidget.wire import messages
from clusterwidget.wire.chosen import Indices, checked, chosen_text
from clusterwidget.wire.start import first_stage
from clusterwidget.wire.viewstate import DEFAULTS, read_state, state_text
from clusterwidget.wire.worker import Worker

if TYPE_CHECKING:
    from clusterwidget.publish.page.recording import View

T = TypeVar("T")

_STATIC = Path(__file__).parent / "static"
_SHOWN = (
    *("selected", "stage", "k", "color_by", "arrange", "arrange_by", "without", "metric", "plain"),
    *("filter", "chosen", "scale", "palette", "near", "zoom", "unfolded", "height"),
)
_OPTIONS = (*_SHOWN, "budget", "embed", "picture")
_CHOICES = {
    "metric": METRICS,
    "scale": ("linear", "rank", "log"),
    "palette": ("viridis", "cividis", "gray"),
    "near": ("bright", "dark"),
}
_LARGEST_ZOOM = 10_000
_EMBEDDED = "8MB"
"""What the page in a notebook may have: it is saved with the notebook, whole."""


def _built(name: str) -> Path:
    path = _STATIC / name
    if not path.is_file():
        raise ImportError(
            f"the front end is not built: {name} is missing. In a checkout run 'make build'; "
            "otherwise install clusterwidget again."
        )
    return path


class ClusterWidget(anywidget.AnyWidget):
    """A clickable grid of examples, colored by the L2 distance to the selected one.

    Parameters
    ----------
    model : Explorer, Model or function of no arguments
        An explorer, a model with TransformerLens's surface, or a function that returns one.
    examples : Examples, optional
        Needed with a model.
    **options
        Initial values of the traits below.

    Attributes
    ----------
    selected : int
        Index of the selected example.
    stage : str
        Address of the stage, e.g. ``"L1H3.result@S3"``.
    k : int
        How many neighbors are listed.
    color_by : str
        ``"distance"``, ``"cluster"``, or the name of a concept.
    arrange : str
        ``"lattice"``, with two concepts as rows and columns; ``"map"``, where each example is a
        point on the two leading principal components of the stage; or ``"umap"``, where
        ``umap-learn`` is installed. See `Explorer.layout`.
    arrange_by : list of str
        Two concepts, rows and columns of the grid; empty to follow the stage.
    without : list of str
        Concepts that are set aside: the grid shows distances in what is left.
    metric : str
        What the distances are: ``"l2"``, ``"cosine"``, ``"standardized"`` or ``"whitened"``; see
        ``Explorer.matrix``.
    plain : bool
        Whether the grid is in the examples' own order, whatever ``arrange_by`` says.
    filter : str
        Fades all examples but those that it lets through, e.g. ``"carry2 = 1 and L0 > 5"``; see
        ``Examples.where``.
    chosen : numpy.ndarray of int, shape (chosen,)
        Indices of the examples that are chosen, by a lasso on the map or here; the rest fades. To
        make a concept of them, name them on screen, or
        ``ex.add_concept("mine", np.isin(np.arange(N), w.chosen))``.
    scale : str
        How colors go with distance: ``"linear"``, ``"rank"`` or ``"log"``.
    palette : str
        ``"viridis"``, ``"cividis"`` or ``"gray"``.
    near : str
        Whether near examples are ``"bright"`` or ``"dark"``.
    zoom : list of float
        How many times the grid is enlarged, and which corner is in sight: x and y, in shares of
        the whole.
    unfolded : list of int or None
        Layers that the stage map shows stage by stage; of the others, it has one row each. None,
        the default: all layers of a model of up to four, none of a deeper one.
    height : int or None
        Height of the figure, in px. By default it follows the width: a narrow figure is taller.
    budget : int
        Bytes of the largest stage matrix that is sent to the page; for larger ones the kernel
        computes the distances.
    embed : bool
        Whether a cell's output holds the page that `export` writes, too: what is made of the
        notebook without a kernel, such as HTML by nbconvert, stays interactive.
    picture : "auto", True or False
        Whether the cell's output holds a picture of the grid (PNG, some 30 kB) as well, which is
        what GitHub and other pages without a kernel show. ``"auto"``: where the stage is held, so
        that the widget waits some 50 ms for it at most; and where a program executes the notebook
        (nbconvert, papermill): there the stage is captured, and the picture takes the widget's
        place. ``True``: always, after the stage is captured. ``False``: never.

    All but the last two are synced both ways; all can be observed.

    Raises
    ------
    TypeError, traitlets.TraitError
        For an option that there is not, and for values that do not fit the examples.

    See Also
    --------
    Explorer : the same questions answered without a screen.

    Examples
    --------
    >>> widget = cw.ClusterWidget(ex, stage="L1H0.result@S3", k=20)
    >>> widget.selected = 42
    >>> len(widget.neighbors)
    20
    """

    _esm = _built("widget.js")
    _css = _built("widget.css")

    selected = traitlets.Int(0).tag(sync=True)
    stage = traitlets.Unicode().tag(sync=True)
    k = traitlets.Int(100).tag(sync=True)
    color_by = traitlets.Unicode("distance").tag(sync=True)
    arrange = traitlets.Unicode("lattice").tag(sync=True)
    arrange_by = traitlets.List(traitlets.Unicode()).tag(sync=True)
    without = traitlets.List(traitlets.Unicode()).tag(sync=True)
    metric = traitlets.Unicode("l2").tag(sync=True)
    plain = traitlets.Bool(False).tag(sync=True)
    filter = traitlets.Unicode().tag(sync=True)
    chosen = Indices()
    scale = traitlets.Unicode("linear").tag(sync=True)
    palette = traitlets.Unicode("viridis").tag(sync=True)
    near = traitlets.Unicode("bright").tag(sync=True)
    zoom = traitlets.List(traitlets.Float(), [1.0, 0.0, 0.0]).tag(sync=True)
    unfolded = traitlets.List(traitlets.Int(), None, allow_none=True).tag(sync=True)
    height = traitlets.Int(None, min=300, max=4000, allow_none=True).tag(sync=True)
    budget = traitlets.Int(32 << 20, min=0).tag(sync=True)
    snapshot = traitlets.Dict().tag(sync=True)
    group = traitlets.Unicode().tag(sync=True)
    embed = traitlets.Bool(False)
    picture = traitlets.Union([traitlets.Bool(), traitlets.Enum(["auto"])], default_value="auto")

    def __init__(self, model: Any = None, examples: Examples | None = None, **options: Any) -> None:
        unknown = sorted(set(options) - set(_OPTIONS))
        if unknown:
            raise TypeError(
                f"ClusterWidget has no option {', '.join(unknown)}; "
                f"there are {', '.join(_OPTIONS)}."
            )
        if isinstance(model, Explorer):
            if examples is not None:
                raise TypeError("an Explorer has its examples already: leave examples out.")
            self.explorer = model
        elif examples is None:
            raise TypeError(
                f"give an Explorer, or a model and examples: {shown(model)} is no Explorer, and "
                "there are no examples."
            )
        else:
            self.explorer = Explorer(model, examples)
        self._shares_explorer = isinstance(model, Explorer)
        self._views: set[str] = set()
        self.told_with: set[ClusterWidget] = set()
        """Other figures of the explorer, which are told of new examples too."""
        options.setdefault("stage", str(first_stage(self.explorer)))
        options.setdefault("k", default_k(len(self.explorer.examples)))
        super().__init__(**options)
        self._worker = Worker(self.explorer, self.send, self._announce)
        self.on_msg(self._receive)

    @property
    def examples(self) -> Examples:
        """The examples, with those that were typed since.

        See Also
        --------
        Explorer.examples

        Examples
        --------
        >>> cw.ClusterWidget(ex).examples is ex.examples
        True
        """
        return self.explorer.examples

    @property
    def on_screen(self) -> bool:
        """Whether a page shows the figure.

        See Also
        --------
        ClusterWidget.close

        Examples
        --------
        >>> cw.ClusterWidget(ex).on_screen
        False
        """
        return bool(self._views)

    @property
    def distances(self) -> npt.NDArray[np.float32]:
        """The distances on screen: of every example to the selected one, shape (N,).

        See Also
        --------
        Explorer.distances

        Examples
        --------
        >>> float(cw.ClusterWidget(ex, selected=42).distances[42])
        0.0
        """
        return self.explorer.distances(
            self.stage, self.selected, without=self.without, metric=self.metric
        )

    @property
    def neighbors(self) -> pd.DataFrame:
        """The neighbors on screen: columns example, label, distance; nearest first.

        See Also
        --------
        Explorer.neighbors

        Examples
        --------
        >>> cw.ClusterWidget(ex, k=3).neighbors.columns.tolist()
        ['example', 'label', 'distance']
        """
        return self.explorer.neighbors(
            self.stage, self.selected, self.k, without=self.without, metric=self.metric
        )

    @property
    def filtered(self) -> npt.NDArray[np.int64]:
        """The examples that the filter lets through, in order; all of them without one.

        See Also
        --------
        Examples.where

        Examples
        --------
        >>> widget = cw.ClusterWidget(ex, filter="L0 = 9")
        >>> set(ex.examples.concepts["L0"][widget.filtered])
        {9}
        """
        return self.examples.where(self.filter)

    @property
    def state(self) -> str:
        """The view on screen as a short text; set it, here or on another figure, to bring it back.

        It holds the stage, the selected example, k, colors, arrangement, what is set aside, the
        filter, the zoom and the layers that are unfolded, and no data. The figure's save menu
        offers the same text.

        Raises
        ------
        TypeError, ValueError, traitlets.TraitError
            Where it is set to what is no view, or to one that does not fit these examples: all
            stays as it was.

        See Also
        --------
        ClusterWidget : the traits one by one.

        Examples
        --------
        >>> widget = cw.ClusterWidget(ex, selected=42, k=20, filter="L0 > 5")
        >>> other = cw.ClusterWidget(ex)
        >>> other.state = widget.state
        >>> other.selected, other.filter
        (42, 'L0 > 5')
        """
        return state_text({name: getattr(self, name) for name in DEFAULTS})

    @state.setter
    def state(self, text: str) -> None:
        view = read_state(text)
        # Either all of it is taken or, where one value does not fit, nothing.
        with self.hold_sync(), self.hold_trait_notifications():
            for name, value in view.items():
                setattr(self, name, value)

    def add(self, text: str) -> int:
        """Select the example that a text stands for, appending it where it is new.

        Returns
        -------
        int
            Its index.

        Raises
        ------
        TypeError, ValueError
            Where the text stands for no example, or none can be added.

        See Also
        --------
        Explorer.add

        Examples
        --------
        >>> widget = cw.ClusterWidget(ex)
        >>> widget.add(ex.examples.labels[7]), widget.selected
        (7, 7)
        """
        before = len(self.examples)
        index = self.explorer.add(text)
        if len(self.examples) > before:
            self._announce()
        self.selected = index
        return index

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Show the figure; its first stage is captured while the page is still being set up."""
        unattended = is_unattended()
        awaited = is_waited_for(self.picture, unattended)
        if self.explorer.is_loaded and not awaited and not self.explorer.holds(self.stage):
            self._worker.begin(self.stage, self.metric)
        bundle = super()._repr_mimebundle_(**kwargs)
        if self.embed:
            bundle = _beside(bundle, {"text/html": self._framed()})
        shown = Shown(
            self.selected,
            self.stage,
            self.k,
            self.color_by,
            tuple(self.arrange_by),
            tuple(self.without),
            self.metric,
            self.plain,
            self.filter,
            self.scale,
            self.palette,
            self.near,
        )
        return with_picture(bundle, self.explorer, shown, self.picture, unattended)

    def export(
        self,
        path: str | os.PathLike[str],
        stages: Stages | None = None,
        *,
        limit: int | str | None = "20MB",
        dtype: str = "float32",
        overwrite: bool = False,
        tell: Callable[[str], object] | None = print,
        progress: Progress | Watch | None = None,
        cancelled: Cancelled | None = None,
    ) -> Path:
        """Write the figure as a page that needs no kernel: one file, or a folder.

        A file opens by double click. A folder is for a static host: its stages are fetched when
        they are looked at. Both ask nobody else for anything. What needs the model, such as a swap,
        is not in a page; swap tests that were made are.

        Parameters
        ----------
        path : path
            Of a file that ends in ``.html``, or of a folder, such as ``"page/"``.
        stages : Stage or address, or iterable of them, optional
            Whose vectors the page has. By default in a folder all of the kinds that the stage map
            shows first; in a file twenty, as many as fit: the stage on screen, then for each
            concept the stages that it explains best.
        limit : int, str or None
            What the page may have, such as ``"5MB"``. Stages of a folder do not count.
        dtype : ``"float32"`` or ``"float16"``
            Of the vectors. float16 needs half the room, and rounds to three digits.
        overwrite : bool
            Whether to write over what is no earlier page.
        tell : function, optional
            Called with a sentence that says how large the page is, before it is written.
        progress, cancelled
            As in `Explorer.capture`.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        ValueError
            Where the page would be larger than the limit.
        FileExistsError, FileNotFoundError
            Where the path holds something else, or its folder is not there.
        CaptureCancelledError
            Nothing was written then, and an earlier page is as it was.

        See Also
        --------
        Explorer.save : to be opened again with a kernel.

        Examples
        --------
        >>> widget = cw.ClusterWidget(ex, stage="L1H0.result@S3")
        >>> widget.export(folder / "adder.html", "L1H0.result@S3", tell=None).name
        'adder.html'
        """
        from clusterwidget.publish.page.export import export

        options = {"limit": limit, "dtype": dtype, "overwrite": overwrite}
        with Watch.of(progress, cancelled).bar(1, "stage") as watch:
            return export(
                self.explorer, self._view(), path, stages, **options, tell=tell, watch=watch
            )

    def _view(self) -> View:
        from clusterwidget.publish.page.recording import View

        values = {name: getattr(self, name) for name in _SHOWN}
        return View(**{**values, "chosen": chosen_text(self.chosen)})

    def _framed(self) -> str:
        from clusterwidget.publish.page.export import framed

        return framed(self.explorer, self._view(), _EMBEDDED)

    def close(self) -> None:
        """Call off what is under way and remove the widget from the page.

        See Also
        --------
        Explorer.release

        Examples
        --------
        >>> cw.ClusterWidget(ex).close()
        """
        if hasattr(self, "_worker"):
            self._worker.stop()
        super().close()

    def _receive(self, _: Any, content: Any, __: Any) -> None:
        if not isinstance(content, Mapping):
            # Without a field there is nobody to answer.
            return
        if content.get("type") in ("request", "part"):
            self._views.add(str(content.get("view")))
        elif content.get("type") == "bye":
            self._leave(str(content.get("view")))
        self._worker.receive(content)

    def _leave(self, view: str) -> None:
        """Let go of the activations with the last view.

        A cell that is run again makes a new widget, and ipywidgets holds on to the old one.
        """
        self._views.discard(view)
        if not self._views and not self._shares_explorer:
            self._worker.stop()
            self.explorer.release()

    def _announce(self) -> None:
        changed: messages.Changed = {"type": "changed"}
        for widget in (self, *self.told_with):
            widget.send(changed)

    @traitlets.validate("selected")
    def _valid_selected(self, proposal: Any) -> int:
        return _or_trait_error(checked_index, proposal["value"], len(self.examples))

    @traitlets.validate("k")
    def _valid_k(self, proposal: Any) -> int:
        return _or_trait_error(checked_k, proposal["value"], len(self.examples))

    @traitlets.validate("stage")
    def _valid_stage(self, proposal: Any) -> str:
        def checked(text: str) -> str:
            stage = Stage.parse(text)
            self.explorer.stage_set.width(stage)
            return str(stage)

        return _or_trait_error(checked, proposal["value"])

    @traitlets.validate("color_by")
    def _valid_color(self, proposal: Any) -> str:
        if proposal["value"] not in ("distance", "cluster"):
            rule = "color_by is 'distance', 'cluster' or a concept"
            self._require_concepts([proposal["value"]], rule)
        return str(proposal["value"])

    @traitlets.validate("arrange")
    def _valid_arrange(self, proposal: Any) -> str:
        found = _or_trait_error(choice, "arrange", str(proposal["value"]), ARRANGEMENTS)
        if found == "umap" and "umap" not in known_methods():
            raise traitlets.TraitError(
                "arrange='umap' needs umap-learn, which is not installed: 'pip install "
                "umap-learn', or take 'map', which is of the principal components."
            )
        return found

    @traitlets.validate("chosen")
    def _valid_chosen(self, proposal: Any) -> Any:
        return _or_trait_error(checked, proposal["value"], len(self.examples))

    @traitlets.validate("arrange_by")
    def _valid_arrangement(self, proposal: Any) -> list[str]:
        names = list(proposal["value"])
        if len(names) not in (0, 2):
            raise traitlets.TraitError(
                f"arrange_by is two concepts, rows and columns, or empty; not {names}."
            )
        if len(names) == 2 and names[0] == names[1]:
            raise traitlets.TraitError(
                f"arrange_by is two different concepts, rows and columns; not {names}."
            )
        self._require_concepts(names, "arrange_by is two concepts")
        return names

    @traitlets.validate("without")
    def _valid_without(self, proposal: Any) -> list[str]:
        names = list(proposal["value"])
        _or_trait_error(partitions_aside, self.examples.concepts, names)
        return names

    @traitlets.validate("filter")
    def _valid_filter(self, proposal: Any) -> str:
        _or_trait_error(self.examples.where, proposal["value"])
        return str(proposal["value"])

    @traitlets.validate("metric", "scale", "palette", "near")
    def _valid_choice(self, proposal: Any) -> str:
        name = proposal["trait"].name
        return _or_trait_error(choice, name, str(proposal["value"]), _CHOICES[name])

    @traitlets.validate("zoom")
    def _valid_zoom(self, proposal: Any) -> list[float]:
        def checked(values: Sequence[float]) -> list[float]:
            if len(values) != 3:
                raise ValueError(
                    f"zoom is a list of three numbers, scale, x and y; not {shown(tuple(values))}."
                )
            scale, x, y = values
            return [number("zoom", scale, 1, _LARGEST_ZOOM), fraction("x", x), fraction("y", y)]

        return _or_trait_error(checked, proposal["value"])

    @traitlets.validate("unfolded")
    def _valid_unfolded(self, proposal: Any) -> list[int] | None:
        layers = proposal["value"]
        if layers is None:
            return None
        known = {row.layer for row in self.explorer.stage_set.rows}
        for layer in layers:
            if layer not in known:
                raise traitlets.TraitError(
                    f"unfolded is a list of layers, or None; there is no layer {shown(layer)}."
                )
        return sorted(set(layers))

    def _require_concepts(self, names: list[str], rule: str) -> None:
        known = list(self.examples.concepts.columns)
        for name in names:
            if name not in known:
                raise traitlets.TraitError(f"{rule}; {name!r} is not among {known}.")


def _beside(bundle: Any, further: Mapping[str, str]) -> Any:
    """Return a mimebundle with further formats; its metadata, if it has any, stays."""
    if bundle is None:
        return dict(further)
    if isinstance(bundle, tuple):
        return ({**bundle[0], **further}, *bundle[1:])
    return {**bundle, **further}


def _or_trait_error(check: Callable[..., T], *values: Any) -> T:
    """Report bad values of a trait as traitlets users expect it."""
    try:
        return check(*values)
    except (ValueError, TypeError, IndexError) as error:
        raise traitlets.TraitError(str(error)) from error
