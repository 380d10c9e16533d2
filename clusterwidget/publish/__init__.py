"""Publish: an exploration for those who have no notebook."""
