"""The stored study of what checks say where assumptions hold and where they fail."""

import json

import numpy as np
import pytest

from tests.calibration import assumptions, cell_assumptions, known_failures
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


def rows_of(path):
    return json.loads(path.read_text())["rows"]


def test_the_page_is_that_of_the_stored_studies():
    rows = [rows_of(p) for p in (assumptions.STORED, assumptions.CELLS, assumptions.FAILURES)]
    assert assumptions.TABLE.read_text() == assumptions.page(*rows)


class TestCells:
    """Checks of the eight cells."""

    def at(self, name):
        return [row for row in rows_of(assumptions.CELLS) if row["name"] == name]

    def test_the_study_is_whole(self):
        for name, assumption in cell_assumptions.ASSUMPTIONS.items():
            found = {row["strength"]: row for row in self.at(name)}
            assert list(found) == [0.0, *assumption.strengths]
            assert all(row["replicates"] >= 200 for row in found.values())

    @pytest.mark.parametrize("code", cell_assumptions.CHECKS)
    def test_no_check_cries_wolf(self, code):
        true = [row for row in rows_of(assumptions.CELLS) if not row["strength"]]
        n = sum(row["replicates"] for row in true)
        share = sum(row["replicates"] * row["doubtful"][code] for row in true) / n
        assert share <= NOMINAL + 3 * np.sqrt(NOMINAL * (1 - NOMINAL) / n)

    @pytest.mark.parametrize(
        ("name", "code", "least"),
        [
            ("defiers who stand out", "monotone_in_instrument", 0.9),
            ("direct effect of the instrument", "monotone_in_instrument", 0.9),
            ("harmed by treatment", "monotone_in_treatment", 0.8),
            ("dependent instrument", "instrument_balance", 0.9),
            ("weak instrument", "instrument_strength", 0.9),
        ],
    )
    def test_what_fails_is_found_the_more_it_fails(self, name, code, least):
        powers = [row["doubtful"][code] for row in self.at(name)]
        assert powers[-1] >= least
        assert powers[0] < 0.1

    def test_few_defiers_among_compliers_are_not_seen_and_bias_the_effect(self):
        first, few, some, _ = self.at("defiers like compliers")
        assert few["doubtful"]["monotone_in_instrument"] < 0.1
        assert few["median_bias"] > first["median_bias"] + 0.03
        assert some["median_bias"] > few["median_bias"] + 0.1
        assert few["covers"] < first["covers"] - 0.04


class TestKnownFailures:
    """What fails and is ignored, beside the point of the sensitivity curve where the truth is."""

    @property
    def rows(self):
        return {row["name"]: row for row in rows_of(assumptions.FAILURES)}

    def test_the_study_is_whole(self):
        assert list(self.rows) == list(known_failures.FAILURES)
        assert all(row["replicates"] >= 40 for row in self.rows.values())

    @pytest.mark.parametrize("name", known_failures.FAILURES)
    def test_holding_the_assumption_at_the_truth_mends_it(self, name):
        own = self.rows[name]["held"]
        n = self.rows[name]["replicates"]
        assert own["covers"] > 0.95 - 3.5 * np.sqrt(0.95 * 0.05 / n)
        assert abs(own["bias"]) < 0.06 + 3 * own["bias_error"]

    @pytest.mark.parametrize("name", ["κ", "Corr(γ, θ)", "τ_R"])
    def test_ignoring_it_does_not_cover(self, name):
        assert self.rows[name]["ignored"]["covers"] < 0.8
        assert self.rows[name]["ignored"]["bias"] > 0.1
