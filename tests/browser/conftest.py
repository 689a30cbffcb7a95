"""A headless Chromium that may reach nothing, and the pages it is to show."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bayesmed.report.content import Content
from bayesmed.report.html import to_html
from tests.browser.reports import KINDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDE, NARROW = 1280, 400


@dataclass
class Shown:
    """A page as a browser shows it, with everything it complained about or asked for."""

    page: Page
    content: Content
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def ask(self, script: str) -> Any:
        """Return what a script says."""
        return self.page.evaluate(script)


def chromium_path() -> str | None:
    """Return the browser on the path, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium from the path; without one these tests fail where they were asked for."""
    path = chromium_path()
    if path is None:
        message = (
            "There is no `chromium` on the path. Install one (Debian: apt-get install chromium)."
        )
        if os.environ.get("BAYESMED_BROWSER"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    with warnings.catch_warnings():
        # The driver's pipes stay open until it ends.
        warnings.simplefilter("ignore", ResourceWarning)
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            yield browser
            browser.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Content]]:
    """Every kind of report as a file, written once."""
    folder, known = tmp_path_factory.mktemp("pages"), {}

    def write(kind: str) -> tuple[Path, Content]:
        if kind not in known:
            content = KINDS[kind]()
            path = folder / f"{kind}.html"
            path.write_text(to_html(content), encoding="utf-8")
            known[kind] = path, content
        return known[kind]

    return write


@pytest.fixture(scope="module", params=KINDS)
def shown(
    request: pytest.FixtureRequest,
    chromium: Browser,
    written: Callable[[str], tuple[Path, Content]],
) -> Iterator[Shown]:
    """Every kind of report, opened once; tests set width, scheme and medium themselves."""
    path, content = written(request.param)
    context = chromium.new_context(viewport={"width": WIDE, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    found = Shown(page, content)
    page.on("console", lambda message: found.messages.append(message.text))
    page.on("pageerror", lambda error: found.messages.append(str(error)))
    page.on("request", lambda asked: found.requests.append(asked.url))

    def refuse(dialog: Any) -> None:
        found.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.goto(path.as_uri(), wait_until="networkidle")
    yield found
    context.close()
