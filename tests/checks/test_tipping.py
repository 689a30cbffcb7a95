"""Where the interval of a slope begins to hold 0, against intervals at many sizes of a failure."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.checks.assumptions.tipping import Tipping, tipping_point, tipping_sentence


@pytest.mark.parametrize("middle", [-1.0, -0.1, 0.15, 2.0])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_it_is_where_the_interval_changes(middle: float, sign: float) -> None:
    rng = np.random.default_rng(1)
    slope, tilt = rng.normal(middle, 0.3, 4001), sign * rng.gamma(30, 0.02, 4001)
    found = tipping_point(slope / tilt, tilt)
    assert found is not None

    def holds_zero(x: float) -> bool:
        low, high = np.quantile(slope - x * tilt, [0.025, 0.975])
        return bool(low <= 0 <= high)

    assert found.includes == holds_zero(0.0)
    before, after = 0.995 * found.value, 1.005 * found.value
    assert holds_zero(before) == found.includes
    assert holds_zero(after) != found.includes
    assert holds_zero(-0.9 * found.value) == found.includes  # nothing nearer on the other side


def test_there_is_none_where_draws_do_not_agree() -> None:
    rng = np.random.default_rng(2)
    tilt = rng.normal(0, 1, 500)
    assert tipping_point(1 / tilt, tilt) is None
    assert tipping_point(np.full(500, np.inf), np.ones(500)) is None
    assert tipping_sentence(None, "x", "an x of {}") == (None, "", "")


@pytest.mark.parametrize(
    ("found", "words", "number"),
    [
        (
            Tipping(0.4, False),
            "An x of about 0.4 would make the 95 % interval of it include 0.",
            0.4,
        ),
        (
            Tipping(-0.4, True),
            (
                "The 95 % interval of it includes 0 already; an x of about -0.4 would make it "
                "exclude 0."
            ),
            -0.4,
        ),
        (Tipping(1.2, False), "Even an x of ±1 would not make the 95 % interval of it", None),
    ],
)
def test_sentences_say_which_way(found: Tipping, words: str, number: float | None) -> None:
    said = tipping_sentence(found, "what x is", "an x of {}", limit=1.0, of="it")
    assert said.sentence.startswith(words)
    assert said.number == number
    assert said.quantity == ("" if number is None else "what x is")
