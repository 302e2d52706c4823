from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The acceptance material beside the repository; tests that need it are skipped without."""
    if not (SHARED / "cases").is_dir():
        pytest.skip(f"{SHARED} is not here")
    return SHARED
