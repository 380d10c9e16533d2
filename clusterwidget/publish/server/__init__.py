"""Server: one process that shows a saved exploration to many visitors at once."""
