"""Edges: from one stage to another that reads it; what a trace keeps or prunes."""

from __future__ import annotations

from dataclasses import dataclass

from clusterwidget.core.checks import shown
from clusterwidget.core.stages import Stage, StageSet

_ARROW = "->"


@dataclass(frozen=True)
class Edge:
    """From a stage to one that reads it.

    Written ``embed@L2 -> L0H1.result@=``; ``Edge.parse`` and ``str`` are inverse to each other.
    What enters a layer is called by what writes it: ``embed`` before the first layer, and
    ``resid_post`` of the layer below before the others.

    Attributes
    ----------
    source, target : Stage

    See Also
    --------
    Explorer.ablate : cuts edges.
    Trace : the edges that one answer came through.

    Examples
    --------
    >>> from clusterwidget.core.edges import Edge
    >>> edge = Edge(cw.Stage.parse("embed@L2"), cw.Stage.parse("L0H1.result@="))
    >>> str(edge), edge.kind
    ('embed@L2 -> L0H1.result@=', 'attention')
    """

    source: Stage
    target: Stage

    def __post_init__(self) -> None:
        for end in (self.source, self.target):
            if not isinstance(end, Stage):
                raise TypeError(
                    f"an edge links two stages, and {shown(end)} is none: write "
                    "Edge.parse('embed@0 -> L0H1.result@3')."
                )

    def __str__(self) -> str:
        return f"{self.source} {_ARROW} {self.target}"

    @classmethod
    def parse(cls, text: str) -> Edge:
        """Return the edge that is written so.

        Raises
        ------
        ValueError
            Where the text is no edge, or an end of it no stage.

        See Also
        --------
        Stage.parse

        Examples
        --------
        >>> from clusterwidget.core.edges import Edge
        >>> Edge.parse("embed@L2 -> L0H1.result@=").target.position
        '='
        """
        if not isinstance(text, str):
            raise TypeError(
                "an edge is written as a string such as 'embed@0 -> L0H1.result@3', not "
                f"{shown(text)}."
            )
        # A position can be called as the arrow is written, but then it has no spaces around it.
        spaced = f" {_ARROW} "
        source, arrow, target = text.partition(spaced if spaced in text else _ARROW)
        if not arrow:
            raise ValueError(
                f"{shown(text)} is no edge: write source -> target, such as "
                "'embed@0 -> L0H1.result@3'."
            )
        try:
            return cls(Stage.parse(source.strip()), Stage.parse(target.strip()))
        except ValueError as error:
            raise ValueError(f"{shown(text)} is no edge: {error}") from None

    @property
    def kind(self) -> str:
        """What the edge is.

        See Also
        --------
        edge_kind : the kinds that there are.

        Examples
        --------
        >>> from clusterwidget.core.edges import Edge
        >>> Edge.parse("L0H1.result@= -> L0.attn_out@=").kind
        'head'
        """
        return edge_kind(self)

    @property
    def layer(self) -> int:
        """The layer that it is in.

        See Also
        --------
        kind

        Examples
        --------
        >>> from clusterwidget.core.edges import Edge
        >>> Edge.parse("L0.resid_post@= -> L1H1.result@=").layer
        1
        """
        assert self.target.layer is not None
        return self.target.layer


ATTENTION, HEAD, ATTENTION_OUT = "attention", "head", "attention out"
MLP_IN, MLP_OUT, RESIDUAL, ANSWER = "mlp in", "mlp out", "residual", "answer"

_WITHIN_A_LAYER = {
    ("result", "attn_out"): HEAD,
    ("attn_out", "resid_post"): ATTENTION_OUT,
    ("attn_out", "mlp_out"): MLP_IN,
    ("mlp_out", "resid_post"): MLP_OUT,
}
_FROM_BELOW = {"result": ATTENTION, "mlp_out": MLP_IN, "resid_post": RESIDUAL}


def edge_kind(edge: Edge) -> str:
    """Return what an edge is, or raise ValueError where no stage reads another like that.

    ``attention``: a head reads the residual stream at a position that it looks at. ``head``: it
    adds to what its layer's attention writes. ``attention out``, ``mlp out`` and ``residual``: what
    is summed up after the layer. ``mlp in``: what the MLP reads; of attention
    only where it comes after it. ``answer``: the last residual stream, from which the logits are
    read.
    """
    source, target = edge.source, edge.target
    beside = source.position == target.position
    kind = None
    if source.layer is not None and source.layer == target.layer:
        kind = _WITHIN_A_LAYER.get((source.kind, target.kind)) if beside else None
    elif source.kind == "resid_post" and target.kind == "logits":
        kind = ANSWER if beside else None
    elif target.layer is not None and source == entering(target.layer, source.position):
        kind = _FROM_BELOW.get(target.kind)
        if kind != ATTENTION and not beside:
            kind = None
    if kind is None:
        raise ValueError(
            f"{target} does not read {source} directly. There are edges from what enters a layer "
            "(embed, or resid_post of the layer below) to a head's result, to mlp_out and to "
            "resid_post; from result to attn_out; from attn_out to mlp_out and resid_post; and "
            "from mlp_out to resid_post."
        )
    return kind


def entering(layer: int, position: str) -> Stage:
    """Return the stage that writes what enters a layer."""
    if layer == 0:
        return Stage("embed", position=position)
    return Stage("resid_post", layer - 1, position=position)


def checked_edge(edge: Edge | str, stage_set: StageSet, *, causal: bool = True) -> Edge:
    """Return an edge between stages that are there, or raise ValueError.

    In a model that is not `causal`, heads look at what comes after them too.
    """
    edge = edge if isinstance(edge, Edge) else Edge.parse(edge)
    columns = [stage_set.column(stage) for stage in (edge.source, edge.target)]
    kind = edge_kind(edge)
    if kind == ANSWER:
        raise ValueError(f"{edge} cannot be cut: without it there is no answer.")
    kinds = {(row.kind, row.layer) for row in stage_set.rows}
    if edge.source.kind == "attn_out" and kind == MLP_IN and ("resid_mid", edge.layer) not in kinds:
        raise ValueError(
            f"{edge.target} does not read {edge.source}: in this model the MLP stands beside the "
            "attention, not after it."
        )
    if causal and columns[0] > columns[1]:
        raise ValueError(
            f"{edge.target} cannot look at {edge.source.position!r}, which comes after it."
        )
    return edge
