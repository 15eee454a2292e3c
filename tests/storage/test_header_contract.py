"""Every engine keeps headers as the contract says."""

from quire.storage.contract.headers import HeaderContract


class TestHeaders(HeaderContract):
    """On each of ENGINES."""
