"""Wire: what travels between Python and a page."""
