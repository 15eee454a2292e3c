"""Content-addressed large data, under the log that names it."""
