"""An Argus of this test's own on the session's servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argus_site import Site, end, make_site


@pytest.fixture
def site(bootstrap_servers: str, redis_url: str, unique_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """Topics and keys with a prefix; its processes end with the test."""
    made = make_site(bootstrap_servers, redis_url, unique_prefix, tmp_path)
    yield made
    end(made)
