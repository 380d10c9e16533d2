"""Voila: the widget as a page for many visitors, with a kernel for each."""
