"""Fixtures shared by all tests: the real places, Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def places() -> Path:
    """Folder of real data beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("LIFECIRCLE_PLACES", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real places are not at {folder}; set LIFECIRCLE_PLACES to their folder")
    return folder


def _playwright_browser() -> str | None:
    """Return the path of Playwright's own Chromium, if it was downloaded."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  slow to import, needed by few tests

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium: the variable CHROMIUM, one on the PATH, or Playwright's own."""
    found = (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
        or _playwright_browser()
    )
    if found:
        return found
    message = "no Chromium: set CHROMIUM to its path, install one, or run 'playwright install chromium'"
    if os.environ.get("LIFECIRCLE_NEED_CHROMIUM"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  slow to import, needed by browser tests only

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()
