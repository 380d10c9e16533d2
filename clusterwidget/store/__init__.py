"""Store: how an exploration is saved and opened."""
