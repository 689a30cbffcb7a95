"""The verb: the same table whatever the way, known answers, one message for what cannot be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from bayesmed.classical import ESTIMATORS
from bayesmed.core.errors import ModelError, StorageError
from bayesmed.core.names import SLOPE
from bayesmed.generative import MultiSiteIV, SiteSlope
from bayesmed.inference import Sampler, exact_posterior
from bayesmed.studies.simulation import (
    TABLE_1,
    FuDesign,
    TrialDesign,
    design_analysis,
    design_grid,
    simulate,
)
from bayesmed.studies.simulation.analysis import Classical, Posterior
from bayesmed.studies.simulation.chunk import Chunk
from bayesmed.studies.simulation.metrics import metrics

QUICK = ("OLS", "BCES", "SIMEX")
TRIAL = TrialDesign(
    sites=10,
    persons=200,
    slope=1.0,
    mediator_effect_sd=0.4,
    direct_effect_sd=0.1,
    mediator_outcome_correlation=0.3,
)


@dataclass(frozen=True)
class Broken:
    """A design of which no data set can be drawn."""

    sites: int = 3
    truth: float = 1.0

    def draw(self, rng):
        raise ModelError("Broken: cannot be drawn.", "Never mind.")


@pytest.fixture
def own():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def run(executor, **changes):
    settings = {"replicates": 12, "estimators": QUICK, "models": {}, "seed": 5} | changes
    designs = settings.pop("designs", design_grid(FuDesign(sites=6), {"slope": [0, 2]}))
    return simulate(designs, executor=executor, **settings)


def test_the_table_depends_on_neither_chunks_nor_executor_nor_company(own, tmp_path):
    whole = run(own)
    for other in (
        run(own, chunk=5),
        run(own, chunk=1, store=tmp_path / "study.duckdb"),
        run(None, workers=2),
    ):
        pd.testing.assert_frame_equal(other.replicates, whole.replicates)
        pd.testing.assert_frame_equal(other.table(), whole.table())
    alone = run(own, designs=FuDesign(sites=6), estimators=["SIMEX"])
    of_two = whole.table().query("slope == 2 and estimator == 'SIMEX'").drop(columns=["slope"])
    pd.testing.assert_frame_equal(
        alone.table().reset_index(drop=True), of_two.reset_index(drop=True)
    )
    assert not run(own, seed=6).replicates.equals(whole.replicates)


def test_more_replicates_begin_with_the_same_ones_and_a_file_goes_on(own, tmp_path):
    store = tmp_path / "study.duckdb"
    few = run(own, replicates=6, chunk=3, store=store)
    more = run(own, replicates=12, chunk=3, store=store)
    first = more.replicates[more.replicates["replicate"] <= 6].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, few.replicates)
    with pytest.raises(StorageError):
        run(own, replicates=12, chunk=3, store=store, seed=8)


def test_every_row_is_what_the_estimator_itself_says(own):
    found = run(own, replicates=3, models={"Posterior": SiteSlope()})
    design = found.designs[1]
    rows = found.replicates[found.replicates["design"] == "FuDesign(sites=6)"]
    assert rows["estimator"].tolist() == [*QUICK, "Posterior"] * 3
    seen = []

    class Watched:
        name = "watched"

        def answer(self, data, seed):
            seen.append(data)
            return Classical("OLS").answer(data, seed)

    Chunk(design, (Watched(),), 0, 3, 5).run(0)
    for number, data in enumerate(seen):
        mine = rows[rows["replicate"] == number + 1].set_index("estimator")
        for name in ("OLS", "BCES"):
            expected = ESTIMATORS[name](data)
            ends = expected.slope[0], expected.interval_low[0], expected.interval_high[0]
            np.testing.assert_array_equal(mine.loc[name, ["estimate", "low", "high"]], ends)
        slope = exact_posterior(SiteSlope(), data).summary(SLOPE)
        ends = slope.mean, slope.quantiles[0], slope.quantiles[-1]
        np.testing.assert_allclose(
            mine.loc["Posterior", ["estimate", "low", "high"]].astype(float),
            ends,
            atol=3e-3 * slope.sd,
        )


def test_the_table_has_the_metrics_of_its_replicates_in_order(own):
    found = run(own)
    table = found.table()
    assert found.varying == ("slope",)
    assert table["estimator"].tolist() == list(QUICK) * 2
    assert table["truth"].tolist() == [0.0] * 3 + [2.0] * 3
    row = table.iloc[4]
    mine = found.replicates.query("estimator == 'BCES' and design == 'FuDesign(sites=6)'")
    expected = metrics(*mine[["estimate", "low", "high"]].to_numpy().T, 2.0)
    assert 0 < expected["undefined"] < 12
    for name, value in expected.items():
        assert row[name] == value or (np.isnan(row[name]) and np.isnan(value)), name


def test_least_squares_is_attenuated_and_the_posterior_is_not(own):
    found = run(
        own,
        designs=FuDesign(sites=200),
        replicates=30,
        estimators=["OLS"],
        models={"Posterior": SiteSlope()},
    )
    ols, posterior = (row for _, row in found.table().iterrows())
    # λ = 1/(1 + 2): the slope 2 becomes 2/3, and no interval comes near 2.
    assert ols["bias"] == pytest.approx(-4 / 3, abs=4 * ols["bias_error"] + 0.03)
    assert ols["covers"] == 0
    assert abs(posterior["bias"]) < 4 * posterior["bias_error"] + 0.02
    assert posterior["covers"] > 0.8
    assert posterior["rmse"] < ols["rmse"]


def test_models_that_cannot_be_integrated_are_sampled(own):
    found = run(
        own,
        designs=TrialDesign(
            sites=30,
            persons=200,
            slope=1.0,
            mediator_effect_sd=0.3,
            direct_effect_sd=0.0,
            mediator_outcome_correlation=0.3,
            mediator_effect_mean=0.6,
        ),
        replicates=2,
        estimators=["OLS"],
        models={"Multi-site IV": MultiSiteIV()},
        intercept=False,
        sampler=Sampler(draws=200, tune=300, chains=2, cores=1, target_accept=0.95),
    )
    assert found.failed.empty
    row = found.table().set_index("estimator").loc["Multi-site IV"]
    assert abs(row["bias"]) < 0.3
    assert 0.05 < row["median_width"] < 1.0


def test_a_design_analysis_finds_power_where_there_are_more_sites_and_persons(own):
    found = design_analysis(
        TRIAL, sites=[8, 40], persons=[60, 600], replicates=25, seed=2, executor=own
    )
    table = found.table().set_index(["sites", "persons"])
    assert found.varying == ("sites", "persons")
    assert table.index.tolist() == [(8, 60), (8, 600), (40, 60), (40, 600)]
    assert table.loc[(40, 600), "rejects"] > table.loc[(8, 60), "rejects"] + 0.3
    assert table.loc[(40, 600), "median_width"] < 0.5 * table.loc[(8, 60), "median_width"]
    assert (table["covers"] > 0.75).all()


def test_failures_are_kept_and_the_others_go_on(own):
    found = run(own, designs=[FuDesign(sites=6), Broken()], estimators=["OLS"], chunk=6)
    assert len(found.failed) == 2
    assert found.failed["error"].str.contains("Broken: cannot be drawn").all()
    assert found.table()["design"].tolist() == ["FuDesign(sites=6)"]
    none = run(own, designs=Broken(), estimators=["OLS"])
    assert none.table().empty


def test_posteriors_and_estimators_answer_alike():
    data = FuDesign(sites=30).draw(np.random.default_rng(3))
    model = SiteSlope()
    integrated = Posterior("p", model).answer(data, 1)
    sampler = Sampler(draws=1000, tune=500, chains=2, cores=1, target_accept=0.95)
    sampled = Posterior("p", model, sampler)._sampled(data, 1)
    width = integrated.high - integrated.low
    for name in ("estimate", "low", "high"):
        assert abs(getattr(integrated, name) - getattr(sampled, name)) < 0.1 * width, name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"estimators": ["SIMEXX"]}, "Did you mean 'SIMEX'"),
        ({"estimators": "OLS"}, "Give a list of names"),
        ({"estimators": ["OLS", "OLS"]}, "Two estimators are called 'OLS'"),
        ({"estimators": ["OLS"], "models": {"OLS": SiteSlope()}}, "Two estimators are called"),
        ({"estimators": []}, "No estimator and no model"),
        ({"estimators": ["BCES (published form)"], "intercept": False}, "intercept only"),
        ({"replicates": 0}, "replicates is 0"),
        ({"chunk": 0}, "chunk is 0"),
        ({"seed": -1}, "The seed -1"),
        ({"designs": []}, "There are no designs"),
        ({"designs": [FuDesign(sites=5), FuDesign(sites=5)]}, "is there twice"),
        ({"designs": "FuDesign"}, "is no design"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(own, changes, message):
    with pytest.raises(ModelError, match=message):
        run(own, **changes)


def test_the_default_estimators_are_those_of_table_1():
    assert set(TABLE_1) <= set(ESTIMATORS)
    assert sum(name.startswith("BCES") for name in TABLE_1) == 3
    assert sum(name.startswith("SIMEX") for name in TABLE_1) == 2
