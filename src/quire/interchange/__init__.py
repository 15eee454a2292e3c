"""Notebooks in the forms of others: documents in, cells out. Pure."""
