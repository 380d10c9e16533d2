"""Core: what things are. Examples, answers, stages, edges, distances; numpy and pandas only."""
