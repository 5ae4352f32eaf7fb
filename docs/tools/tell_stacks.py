"""A plug-in of pytest that tells what the stacks of the memory test took."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Generator[None, Any, Any]:
    """Print the numbers of a stack when it has been made."""
    result = yield
    if type(result).__name__ == "Stacked":
        print(
            f"\n{fixturedef.argname}: raws {result.raws / 1e6:.1f} MB, read {result.read / 1e6:.1f} MB "
            f"({result.read / result.raws:.3f} times); peak memory {result.peak / 1e6:.0f} MB, "
            f"the plan said below {result.promised / 1e6:.0f} MB"
        )
    return result
