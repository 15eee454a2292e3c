"""Where a notebook's code runs: real Jupyter kernels, one per live notebook."""
