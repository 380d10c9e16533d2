"""Core: what things are. Examples, answers, concepts, stages, edges and distances; numpy and pandas only."""
