"""Explorer: answers every question about a model and examples. The widget shows its answers."""

from __future__ import annotations

from clusterwidget.certification import Certification


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

    Raises
    ------
    TypeError, ValueError
        Where the parts do not fit together, before any work begins.
    """
