"""What cells read and write, and the graph that follows from it. Pure: no effects, and no code is run."""
