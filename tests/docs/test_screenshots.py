"""The documentation has pictures of a report, small enough for a page."""

from __future__ import annotations

import pytest

from tests.docs.screenshots import IMAGES, MOST_BYTES, SHOTS


@pytest.mark.parametrize("name", SHOTS)
def test_pictures_of_a_report_are_there_and_small(name: str) -> None:
    content = (IMAGES / name).read_bytes()
    assert content.startswith(b"\x89PNG")
    width, _, _, scale = SHOTS[name]
    assert int.from_bytes(content[16:20], "big") == width * scale
    assert 20_000 < len(content) < MOST_BYTES
