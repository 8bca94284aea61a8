"""A headless Chromium that Playwright drives, and what a failing test leaves to look at.

Set COURSE_SCREENSHOTS to a folder to keep the screenshots that the tests take on their way.
"""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.end_to_end.jupyterlab import PATIENCE
from tests.end_to_end.server import Server, tail

_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_CONSOLE = pytest.StashKey[list[str]]()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium. For one module only: Playwright's event loop must not run beside other tests'."""
    chromium = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(chromium).exists():
        pytest.fail("These tests drive a real browser: install chromium (Debian, Ubuntu: `apt-get install chromium`).")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*_FLAGS, *as_root])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a laptop's size, in a profile of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    console = request.node.stash.setdefault(_CONSOLE, [])

    def listen(message: ConsoleMessage) -> None:
        console.append(f"{message.type}: {message.text}")

    page.on("console", listen)
    page.on("pageerror", lambda error: console.append(f"uncaught: {error}"))
    yield page
    context.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that screenshots go to."""
    kept = os.environ.get("COURSE_SCREENSHOTS")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def look(page: Page, screenshots: Path) -> Callable[[str], Path]:
    """Take a screenshot under a name."""

    def take(name: str) -> Path:
        path = screenshots / f"{name}.png"
        page.screenshot(path=path)
        return path

    return take


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """To the report of a failed test, add its last screenshot's place and what page and server said."""
    report = yield
    page, folder, server = (getattr(item, "funcargs", {}).get(name) for name in ("page", "screenshots", "server"))
    if report.failed and call.when in ("setup", "call"):
        if page is not None and folder is not None:
            path = folder / f"failed_{re.sub(r'[^a-zA-Z0-9_]+', '_', item.name)}.png"
            try:
                page.screenshot(path=path, timeout=10_000)
                report.sections.append(("screenshot", str(path)))
            except PlaywrightError as error:  # a page that is gone must not hide why the test failed
                report.sections.append(("screenshot", f"not taken: {error}"))
            report.sections.append(("browser console", "\n".join(item.stash.get(_CONSOLE, [])[-40:])))
        if isinstance(server, Server):
            report.sections.append(("JupyterLab's log", tail(server.log)))
    return report
