"""`quire` and `python -m quire`."""

import gc


def main() -> None:
    """Import and run the commands.

    Nothing that the imports make is ever garbage: a collector that looks for some would cost a tenth of the start, and
    go through all of it again and again later on.
    """
    gc.disable()
    from quire.cli import main as commands  # noqa: PLC0415 - not before the collector is off

    gc.freeze()
    gc.enable()
    commands.main()


if __name__ == "__main__":
    main()
