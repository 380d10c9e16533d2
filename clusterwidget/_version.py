"""The version, where both the package and what it sends can import it."""

__version__ = "0.1.0"
