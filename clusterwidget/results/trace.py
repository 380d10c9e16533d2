"""The trace of an answer: the stages and edges that it came through in one example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import networkx

THRESHOLD = 0.1
"""Attention above which a head looks at a position."""

LEAST = 0.5
"""Share of its probability that an answer must keep to be as it was; it must also stay first."""

DRAWS = 8
"""How many other examples stand in, one after another, for what is cut."""


@dataclass(frozen=True)
class Trace:
    """The stages and edges that an answer came through.

    Attributes
    ----------
    example : int
    answer : str
    text : str
        What the model answers.
    probability : float
        Of that answer.
    kept_probability : float
        Of that answer with all edges that are not kept cut together, mean over replacements.
    unusual : float
        Distance of the activations then to the nearest reference activation, over its usual size;
        the median over replacements.
    nodes : pandas.DataFrame
        Indexed by stage: ``loss`` in nats that the answer loses with this stage alone replaced,
        the ``probability`` that it keeps then, and whether the stage is ``kept``, at an end of an
        edge that is.
    edges : pandas.DataFrame
        ``source``, ``target`` and ``kind`` (see `edges.edge_kind`); the weight of ``attention``,
        NaN for other kinds; ``loss`` and ``probability`` with this edge alone cut, NaN in a large
        model, where that would take long; ``kept``.
    unexamined : int
        How many layers, from the first, a budget left as they are.

    See Also
    --------
    Explorer.trace

    Examples
    --------
    >>> trace = ex.trace(42, "S3")
    >>> trace.answer, trace.text, bool(trace.edges["kept"].any())
    ('S3', '2', True)
    """

    example: int
    answer: str
    text: str
    probability: float
    kept_probability: float
    unusual: float
    nodes: pd.DataFrame
    edges: pd.DataFrame
    unexamined: int = 0

    def __str__(self) -> str:
        kept = int(self.edges["kept"].sum())
        below = ""
        if self.unexamined:
            below = (
                f" The budget was spent before the first {self.unexamined} layers were looked into."
            )
        return (
            f"{self.answer} = {self.text} of example {self.example}: {kept} of {len(self.edges)} "
            f"edges carry it; with the others cut together its probability goes from "
            f"{self.probability:.0%} to {self.kept_probability:.0%}.{below}"
        )

    def graph(self, *, pruned: bool = False) -> networkx.DiGraph:
        """Return the trace as a graph of networkx, with the tables' columns as attributes.

        Parameters
        ----------
        pruned : bool
            With the edges that do not matter as well.

        Returns
        -------
        networkx.DiGraph

        Raises
        ------
        ImportError
            Where networkx is not installed.

        See Also
        --------
        Explorer.trace

        Examples
        --------
        >>> graph = ex.trace(42, "S3").graph()
        >>> "logits@S4" in graph
        True
        """
        try:
            import networkx
        except ImportError as error:
            raise ImportError("graph() needs networkx: pip install networkx.") from error
        graph = networkx.DiGraph()
        for stage, node in self.nodes.iterrows():
            if pruned or node["kept"]:
                graph.add_node(stage, **{str(name): value for name, value in node.items()})
        for _, edge in self.edges.iterrows():
            if pruned or edge["kept"]:
                known = {str(name): value for name, value in edge.items()}
                graph.add_edge(known.pop("source"), known.pop("target"), **known)
        return graph
