"""Stores that fail at one call."""

from quire.storage.protocol import StoreUnavailable


class FailsOnce:
    """A store or blob store whose n-th call fails and writes nothing."""

    def __init__(self, real: object, calls: "Countdown") -> None:
        self._real = real
        self._calls = calls

    def __getattr__(self, name: str) -> object:
        self._calls.one(name)
        return getattr(self._real, name)


class Countdown:
    def __init__(self, n: int) -> None:
        self.left = n

    def one(self, name: str) -> None:
        self.left -= 1
        if self.left == 0:
            raise StoreUnavailable(f"{name} failed")
