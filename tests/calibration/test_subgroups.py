"""The stored study of sites found in the data: honest splits cover, and others do not."""

import json

import numpy as np
import pytest

from tests.calibration import job_corps, subgroups
from tests.calibration.subgroups import DESIGNS, QUANTITIES, TABLE, page

HONEST, TWICE = "honest tree", "tree, the same persons twice"


def stored():
    rows = json.loads(subgroups.STORED.read_text())["rows"]
    return {(r["design"], r["way"], r["quantity"]): r for r in rows}


def test_the_study_is_whole():
    record = json.loads(subgroups.STORED.read_text())
    assert record["failed"] == 0
    for design in DESIGNS:
        for way in (HONEST, TWICE):
            for quantity in QUANTITIES:
                assert stored()[design, way, quantity]["replicates"] >= 500


@pytest.mark.parametrize("design", DESIGNS)
def test_honest_sites_cover_their_effects_and_others_do_not(design):
    for quantity in QUANTITIES[:2]:
        honest, twice = (stored()[design, way, quantity] for way in (HONEST, TWICE))
        assert 0.93 <= honest["covers"] <= 0.97
        assert twice["covers"] < 0.9


@pytest.mark.parametrize("design", DESIGNS)
def test_slopes_of_honest_sites_cover_at_least_as_often_as_they_say(design):
    honest, twice = (stored()[design, way, "slope"] for way in (HONEST, TWICE))
    assert honest["covers"] >= 0.93
    assert twice["covers"] < honest["covers"] - 3 * twice["covers_error"]


def test_strata_and_several_splits_cover():
    for way in ("strata of compliance", "honest tree, combined"):
        row = stored()["effects differ", way, "slope"]
        assert row["covers"] >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / row["replicates"])


def test_the_page_is_made_from_what_is_stored():
    rows = json.loads(subgroups.STORED.read_text())["rows"]
    jobs = json.loads(job_corps.STORED.read_text())
    assert page(rows, jobs) == TABLE.read_text(encoding="utf-8")


def test_job_corps_says_what_the_page_says():
    jobs = json.loads(job_corps.STORED.read_text())
    own = {(r["way"], r["estimator"]): r for r in jobs["one_split"]}
    published = own[TWICE, "SIMEX (published form)"]
    assert published["low"] > 0
    others = [r for (way, e), r in own.items() if way != TWICE and e != "BCES (published form)"]
    assert all(r["low"] < 0 < r["high"] for r in others)
    for row in jobs["many_splits"]:
        assert row["splits"] >= 40
        assert row["q2.5"] < 0 < row["q97.5"]
        assert row["lowest"] < row["q50"] < row["highest"]


def test_job_corps_is_what_is_stored():
    found = job_corps.find_sites(job_corps.persons(), job_corps.WAYS[HONEST], seed=job_corps.SEED)
    jobs = json.loads(job_corps.STORED.read_text())
    assert list(found.estimates.site) == jobs["sites"][HONEST]
    own = {r["estimator"]: r for r in jobs["one_split"] if r["way"] == HONEST}
    for row in job_corps.estimated(found.estimates):
        assert row["slope"] == pytest.approx(own[row["estimator"]]["slope"], rel=1e-6)
