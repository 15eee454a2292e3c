"""Where logs and headers are kept. Storage sees ids, numbers and bytes, never a cell."""
