"""What a notebook is: its state, the changes that make it, and their bytes. Pure: no effects."""
