"""The environment for emulators: they take any credentials, and nothing here may meet somebody's real ones."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def nobodys_aws() -> Iterator[None]:
    """This process, and those that it starts, know no AWS but the emulators."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-nobody")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield
