"""What every storage engine must do, as tests: for this project's engines and for those of others.

Needs pytest, pytest-asyncio and hypothesis, which the server does not: nothing else in the package imports this. How to
use it: docs/engines.md.
"""

import pytest

pytest.register_assert_rewrite(f"{__name__}.log", f"{__name__}.headers", f"{__name__}.reopening")
