"""Simulation-based calibration: short runs that pass, and faults that it finds."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import TrialMoments
from bayesmed.generative import CovariateIV, SiteSlope
from bayesmed.inference import Sampler
from bayesmed.priors import Prior
from bayesmed.report.calibration import calibration_content
from bayesmed.studies.calibration import Calibration, calibrate, joint
from tests.calibration.sbc_variants import SITES, VARIANTS, sites

EXACT = Sampler(engine="exact", draws=40, chains=1)


@pytest.fixture
def here() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as own:
        yield own


def _run(name: str, here: ThreadPoolExecutor, **given: Any) -> Calibration:
    variant = VARIANTS[name]
    settings = {"replicates": 40, "seed": 5, "sampler": variant.sampler} | given
    return calibrate(variant.with_priors(), variant.like(), executor=here, **settings)


@pytest.mark.parametrize(
    "name",
    [
        "SiteSlope, exact engine",
        "CovariateIV, common errors",
        "RandomCoefficients, two arms",
        "PrincipalStrata, saturated",
    ],
)
def test_models_are_calibrated(name: str, here: ThreadPoolExecutor) -> None:
    found = _run(name, here)
    table = found.table()
    assert found.failed.empty
    assert set(VARIANTS[name].model.parameters) & set(
        table["quantity"].str.split("[", regex=False).str[0]
    )
    assert "log_likelihood" in set(table["quantity"])
    assert table["p_of_all"].min() > 0.005


def test_priors_that_are_not_those_of_the_truth_are_found(
    here: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = SiteSlope.prior_draws

    def moved(*given: Any) -> Mapping[str, np.ndarray]:
        found = true(*given)
        return {**found, "slope": found["slope"] + 2.0}

    monkeypatch.setattr(SiteSlope, "prior_draws", moved)
    table = _run("SiteSlope, exact engine", here, replicates=60).table().set_index("quantity")
    assert not table.loc["slope", "inside"]
    assert table.loc["slope", "mean_rank"] > 0.6
    assert table.loc["mediator_effect_mean", "p_value"] > 0.01


def test_sampling_errors_taken_too_small_are_found(
    here: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = joint.draw_posterior

    def sure(model: Any, data: Any, *given: Any) -> Any:
        return fitted(model, replace(data, cov=data.cov / 16), *given)

    monkeypatch.setattr(joint, "draw_posterior", sure)
    table = _run("SiteSlope, exact engine", here, replicates=100).table().set_index("quantity")
    assert table.loc["mediator_effect_sd", "mean_rank"] < 0.45
    assert table["p_of_all"].min() < 0.01


def test_replicates_depend_on_seed_and_number_alone(here: ThreadPoolExecutor) -> None:
    whole = _run("SiteSlope, exact engine", here, replicates=6, chunk=6, ranks=41)
    parts = _run("SiteSlope, exact engine", here, replicates=5, chunk=2, ranks=41)
    first = whole.ranks[whole.ranks["replicate"] <= 5].reset_index(drop=True)
    assert parts.ranks.equals(first)
    other = _run("SiteSlope, exact engine", here, replicates=5, chunk=2, ranks=41, seed=6)
    assert not other.ranks["rank"].equals(parts.ranks["rank"])


def test_table_says_what_ranks_are() -> None:
    import pandas as pd

    n = 400
    ranks = pd.DataFrame(
        {
            "replicate": np.tile(np.arange(n) + 1, 2),
            "quantity": np.repeat(["even", "low"], n),
            "rank": np.concatenate([np.arange(n) % 20, np.arange(n) % 10]),
            "divergences": np.tile((np.arange(n) < 100).astype(int), 2),
        }
    )
    failed = pd.DataFrame({"task": ["replicate 7"], "error": ["QuadratureError: rough"]})
    found = Calibration(SiteSlope(), None, ranks, failed, 20, 1)
    table = found.table().set_index("quantity")
    assert table["mean_rank"].to_dict() == pytest.approx({"even": 0.5, "low": 0.25})
    assert table.loc["even", "spread"] == pytest.approx(np.sqrt(1 - 1 / 400))
    assert table["inside"].to_dict() == {"even": True, "low": False}
    assert found.divergent == pytest.approx(0.25)
    content = calibration_content(found)
    assert "1 of 2 quantities" in content.answer.sentence
    assert any("low" in text for text in content.answer.first)
    assert any("1 fits failed" in text for text in content.answer.first)
    assert content.pictures[0].draw().axes
    with pytest.raises(ModelError, match="no quantity 'high'"):
        found.counts("high")


def test_default_priors_are_refused_by_name(here: ThreadPoolExecutor) -> None:
    with pytest.raises(ModelError, match=r"slope.*depends on the data"):
        calibrate(SiteSlope(), sites(5)(), replicates=2, seed=1, executor=here)
    centred = {k: v for k, v in SITES.items() if k in ("slope", "direct_effect_sd")}
    centred |= {k: v for k, v in SITES.items() if k.startswith("mediator_effect")}
    centred["total_effect_at_centre"] = Prior("Normal", mu=0, sigma=1)
    with pytest.raises(ModelError, match="total_effect_at_centre"):
        calibrate(SiteSlope(priors=centred), sites(5)(), replicates=2, seed=1, executor=here)


def test_what_has_no_joint_distribution_is_refused(here: ThreadPoolExecutor) -> None:
    variant = VARIANTS["CovariateIV"]
    cut = replace(variant.with_priors(), slope_modifier={"x1": Prior("Normal", mu=0, sigma=1)})
    with pytest.raises(ModelError, match="cut"):
        calibrate(cut, variant.like(), replicates=2, seed=1, executor=here)
    moments = TrialMoments.from_persons(variant.like())
    with pytest.raises(DataError, match="Give the persons"):
        calibrate(variant.with_priors(), moments, replicates=2, seed=1, executor=here)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"replicates": 0}, "replicates is 0"),
        ({"chunk": 1.5}, "chunk is 1.5"),
        ({"ranks": 1}, "ranks is 1"),
        ({"ranks": 102}, "give 2 to 101"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_numbers_are_refused(
    given: dict[str, Any], message: str, here: ThreadPoolExecutor
) -> None:
    with pytest.raises(ModelError, match=message):
        _run("SiteSlope, exact engine", here, **given)


def test_fits_that_fail_are_listed(
    here: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, count = joint.draw_posterior, []

    def sometimes(*given: Any) -> Any:
        count.append(1)
        if len(count) == 2:
            raise ModelError("The density is too rough.", "Sample.")
        return fitted(*given)

    monkeypatch.setattr(joint, "draw_posterior", sometimes)
    found = _run("SiteSlope, exact engine", here, replicates=3)
    assert found.failed["task"].tolist() == ["replicate 2"]
    assert found.ranks["replicate"].unique().tolist() == [1, 3]


def test_every_model_is_among_the_variants() -> None:
    from bayesmed.generative.registry import MODELS

    assert {type(v.model) for v in VARIANTS.values()} == set(MODELS.values())
    assert CovariateIV in MODELS.values()
