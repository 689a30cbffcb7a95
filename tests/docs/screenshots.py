"""Pictures for README and documentation: ``python -m tests.docs.screenshots``.

Needs Chromium. Fits shipped cards by exact integration. Of a report it takes what a reader sees
first, at the width of a desk and of a telephone, light and dark; of 100 sites it draws the
showcase.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from bayesmed.cards import find_card, load_card
from bayesmed.inference import Fit, Sampler, fit
from bayesmed.report import report
from bayesmed.report.figures import save_png, showcase
from tests.browser.conftest import NARROW, WIDE, chromium_path

CARD, SHOWCASE = "colombia_vouchers", "mechte_example"
ROPE = (-0.05, 0.05)
IMAGES = Path(__file__).parents[2] / "docs" / "images"
SHOTS = {
    f"report_{WIDE}.png": (WIDE, 1500, "light", 1),
    f"report_{NARROW}.png": (NARROW, 1500, "light", 1.5),
    f"report_{NARROW}_dark.png": (NARROW, 1500, "dark", 1.5),
}
"""Width and height in pixels of the page, colours, and pixels of the picture for each."""
MOST_BYTES = 300_000


def take(page: Path, images: Path = IMAGES) -> tuple[Path, ...]:
    """Write every picture of a page; return the files."""
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    assert path is not None, "Install Chromium (Debian: apt-get install chromium)."
    written = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, (width, height, scheme, scale) in SHOTS.items():
            shot = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                device_scale_factor=scale,
            )
            shot.goto(page.as_uri())
            _save(shot.screenshot(), images / name)
            written.append(images / name)
        browser.close()
    return tuple(written)


def _save(png: bytes, path: Path) -> None:
    """Keep the picture in 256 colours, those of lines and points among them."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    few = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def _fitted(name: str) -> Fit[Any, Any]:
    card = load_card(find_card(name))
    return fit(card.model, card.load_data(), sampler=Sampler(engine="exact"), seed=1)


def main() -> None:
    """Fit, draw, report, and take the pictures."""
    card = load_card(find_card(CARD))
    fitted, many = (_fitted(name) for name in (CARD, SHOWCASE))
    save_png(showcase(many), IMAGES / f"{SHOWCASE}.png")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        report(fitted, page, framing=card.framing, rope=ROPE)
        for path in take(page):
            print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
