"""Colours of pictures are told apart by colour-blind readers, on white and on black pages."""

from __future__ import annotations

import itertools
import re
from importlib.resources import files

import numpy as np
import pytest

from bayesmed.report.figures import style

# Full dichromacy, of linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.0.
BLIND = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
LEAST = 14.0
"""CIE76 distance below which lines of two colours are not told apart with ease."""


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = [np.cbrt(v) if v > (6 / 29) ** 3 else v / (3 * (6 / 29) ** 2) + 4 / 29 for v in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, kind: str | None) -> float:
    seen = np.eye(3) if kind is None else np.array(BLIND[kind])
    return float(np.linalg.norm(lab(seen @ linear(one)) - lab(seen @ linear(other))))


def palettes() -> dict[str, dict[str, str]]:
    """Colours of the page by name, of each scheme as its style sheet has them."""
    page = (files("bayesmed.report") / "report.html.j2").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)[:2]
    return {
        name: dict(re.findall(r"--([\w-]+): (#\w{6})", text))
        for name, text in (("light", light), ("dark", dark))
    }


def test_the_distance_is_the_known_one() -> None:
    assert distance("#000000", "#ffffff", None) == pytest.approx(100, abs=0.1)
    # Red and green of the same lightness are the classical trap.
    assert distance("#c1272d", "#5b7f00", "deuteranopia") < 25
    assert distance("#c1272d", "#5b7f00", None) > 80


@pytest.mark.parametrize("kind", [None, *BLIND])
def test_lines_of_chains_and_estimators_differ_for_every_eye(kind: str | None) -> None:
    for one, other in itertools.combinations(style.CHAINS, 2):
        assert distance(one, other, kind) > LEAST, (one, other)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", [None, *BLIND])
def test_posterior_estimate_prior_and_ink_differ_for_every_eye(
    kind: str | None, scheme: str
) -> None:
    palette = palettes()[scheme]
    names = ("posterior", "estimate", "prior", "ink", "paper")
    for one, other in itertools.combinations(names, 2):
        assert distance(palette[one], palette[other], kind) > LEAST, (one, other)


def test_the_page_has_the_colours_of_the_pictures() -> None:
    light = palettes()["light"]
    for colour, name in style.VARIABLES.items():
        if name != "muted":  # darker on the page, where it is the colour of words
            assert light[name] == colour, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_stand_out_from_the_page(scheme: str) -> None:
    palette = palettes()[scheme]
    ground = float(np.array([0.2126, 0.7152, 0.0722]) @ linear(palette["page"]))
    for name in ("posterior", "estimate", "prior", "muted"):
        ink = float(np.array([0.2126, 0.7152, 0.0722]) @ linear(palette[name]))
        high, low = max(ink, ground), min(ink, ground)
        # Graphical objects: WCAG 2, success criterion 1.4.11.
        assert (high + 0.05) / (low + 0.05) >= 3, name
