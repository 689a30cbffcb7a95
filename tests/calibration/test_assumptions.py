"""The stored study of what checks say where assumptions hold and where they fail."""

import json

import numpy as np
import pytest

from tests.calibration import assumptions
from tests.calibration.assumptions import ASSUMPTIONS, CHECKS

NOMINAL = 0.05
# Which check is to find what, where it is broken most, and in which share of data sets at least.
FOUND = {
    "slopes unrelated to mediator effects": ("curvature", 0.35),
    "one slope": ("fan", 0.4),
    "sampling errors unrelated to mediator effects": ("precision", 0.9),
    "normal direct effects": ("normal_effects", 0.4),
    "no direct effects, varying ones": ("overidentification", 0.4),
    "one slope, no direct effects": ("overidentification", 0.7),
    "slopes unrelated to mediator effects, no direct effects": ("curvature", 0.45),
}


def stored():
    rows = json.loads(assumptions.STORED.read_text())["rows"]
    return {(row["name"], row["strength"]): row for row in rows}


def test_the_study_is_whole():
    rows = stored()
    for name, assumption in ASSUMPTIONS.items():
        for strength in (0.0, *assumption.strengths):
            row = rows[name, strength]
            assert row["replicates"] >= 100
            assert row["assumption"] == assumption.words
            assert set(row["doubtful"]) <= set(CHECKS)


@pytest.mark.parametrize("code", CHECKS)
def test_no_check_cries_wolf(code):
    """False alarms, of all data sets in which every assumption holds."""
    true = [row for (_, strength), row in stored().items() if not strength]
    true = [row for row in true if code in row["doubtful"]]
    n = sum(row["replicates"] for row in true)
    share = sum(row["replicates"] * row["doubtful"][code] for row in true) / n
    assert share <= NOMINAL + 3 * np.sqrt(NOMINAL * (1 - NOMINAL) / n)


@pytest.mark.parametrize("name", FOUND)
def test_what_fails_is_found_the_more_it_fails(name):
    code, least = FOUND[name]
    powers = [stored()[name, s]["doubtful"][code] for s in (0.0, *ASSUMPTIONS[name].strengths)]
    assert powers[-1] >= least
    assert powers[-1] > powers[0] + 0.2


def test_direct_effects_that_go_with_mediator_effects_leave_no_trace():
    """The answer is wrong, its interval excludes the truth, and no check can say so."""
    name = "direct effects unrelated to mediator effects"
    row = stored()[name, ASSUMPTIONS[name].strengths[-1]]
    assert row["covers"] < 0.6
    assert row["bias"] > 0.2
    limit = NOMINAL + 3.5 * np.sqrt(NOMINAL * (1 - NOMINAL) / row["replicates"])
    assert all(share <= limit for share in row["doubtful"].values())


def test_equal_direct_effects_bend_a_line_through_the_origin():
    """Exclusion, or no within-site covariance, failing alike everywhere: the slope is off."""
    name = "no direct effects, equal ones"
    rows = [stored()[name, s] for s in (0.0, *ASSUMPTIONS[name].strengths)]
    assert rows[0]["covers"] > 0.88
    assert rows[-1]["covers"] < 0.5
    assert rows[-1]["bias"] > 0.1


def test_the_page_is_that_of_the_stored_study():
    rows = json.loads(assumptions.STORED.read_text())["rows"]
    assert assumptions.TABLE.read_text() == assumptions.page(rows)
