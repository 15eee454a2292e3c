"""Live notebooks: one actor each, that appends to the log, runs cells and tells its subscribers."""
