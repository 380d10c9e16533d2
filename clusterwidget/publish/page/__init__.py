"""Page: an exploration that is looked at without a kernel."""
