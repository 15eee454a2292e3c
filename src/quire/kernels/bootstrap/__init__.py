"""What runs inside a kernel's process: an IPython kernel that takes whole plans.

Standard library, IPython and ipykernel only: the process runs `launch.py` by its path, with whatever Python the
notebook uses, and that Python need not have quire installed.
"""
