"""Natural effects over how far effects vary between types."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bayesmed.core.errors import ModelError
from bayesmed.generative import PrincipalStrata
from bayesmed.inference import Sampler, fit
from bayesmed.report import report
from bayesmed.studies.sensitivity import heterogeneity_study
from tests.calibration.principal_strata import simulate

VALUES = (0.0, 0.3, 1.5)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    cells = simulate("amount", 4000, np.random.default_rng(1))
    sampler = Sampler(draws=500, tune=500, chains=2)
    fitted = fit(PrincipalStrata(), cells, sampler=sampler, seed=1)
    store = tmp_path_factory.mktemp("study") / "study.duckdb"
    with ThreadPoolExecutor(1) as own:
        return heterogeneity_study(fitted, values=VALUES, executor=own, store=store)


def rows(study, effect, arm="1"):
    table = study.table()
    return table[(table["effect"] == effect) & (table["entry"] == arm)].set_index("heterogeneity")


def test_without_heterogeneity_natural_effects_are_those_by_instrument(study) -> None:
    assert study.failed.empty
    assert rows(study, "nie_gap").loc[0.0, ["q2.5", "q97.5"]].abs().max() < 1e-8
    nie, of_iv = rows(study, "nie").loc[0.0], rows(study, "nie_iv").loc[0.0]
    assert nie["q50"] == pytest.approx(of_iv["q50"])


def test_natural_effects_widen_and_what_is_identified_does_not(study) -> None:
    def width(effect):
        own = rows(study, effect)
        return (own["q97.5"] - own["q2.5"]).to_numpy()

    assert (np.diff(width("nie")) > 0).all()
    assert width("nie")[-1] > 5 * width("nie")[0]
    identified = width("nie_iv")
    assert np.ptp(identified) < 0.25 * identified.mean()


def test_where_conclusions_tip(study) -> None:
    tipped = study.tipping().set_index(["effect", "entry"])
    ate = tipped.loc[("ate", "")]
    assert ate["excludes_zero"]
    assert np.isnan(ate["includes_from"])
    for arm in "01":
        first = tipped.loc[("nie", arm), "includes_from"]
        own = rows(study, "nie", arm)
        inside = (own["q2.5"] <= 0) & (own["q97.5"] >= 0)
        assert first == own.index[inside][0]


def test_the_report_has_its_picture(study, tmp_path) -> None:
    report(study, tmp_path / "study.html")
    report(study, tmp_path / "study.md")
    html = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 1
    assert "het = 1.5" in (tmp_path / "study.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("values", [[-1.0], [float("nan")]])
def test_impossible_values_are_refused(study, values) -> None:
    with pytest.raises(ModelError, match="heterogeneity is"):
        heterogeneity_study(study.fit, values=values)


def test_saturated_models_have_no_types(study) -> None:
    other = type(study.fit)(
        PrincipalStrata(saturated=True), study.fit.data, study.fit.sampler, 1, study.fit.tree
    )
    with pytest.raises(ModelError, match="no types of persons"):
        heterogeneity_study(other)
