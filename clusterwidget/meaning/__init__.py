"""Meaning: what stages stand for. Explained shares, the atlas, neighbors and clusters."""
