"""Quire: a reactive Python + SQL notebook server whose storage is a log."""

__version__ = "0.1.0"
