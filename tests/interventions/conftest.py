from collections.abc import Iterator

import pytest

from clusterwidget.threads import threads


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Torch's threads wait for one another, which is slow where other programs run as well."""
    with threads(1):
        yield
