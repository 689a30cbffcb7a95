"""Every estimator from rows equals statsmodels' at every site, covariance and all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from bayesmed.data import Estimation, PersonRows, RowColumns, reduce_rows
from tests.data.rows.people import by_statsmodels, close, people, site_covariance, symmetrised

MEDIATORS = ("m1", "m2")
OUTCOMES = (*MEDIATORS, "y")

# Roles given to bayesmed, and what statsmodels is told: covariates, block, weights, cluster.
ADJUSTMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "covariates": {"covariates": ("x1", "x2")},
    "blocks": {"fixed_effect": "block"},
    "weights": {"weights": "w"},
    "clusters": {"cluster": "cluster"},
    "covariates, blocks": {"covariates": ("x1", "x2"), "fixed_effect": "block"},
    "covariates, weights": {"covariates": ("x1",), "weights": "w"},
    "covariates, clusters": {"covariates": ("x1", "x2"), "cluster": "cluster"},
    "blocks, weights": {"fixed_effect": "block", "weights": "w"},
    "blocks, clusters": {"fixed_effect": "block", "cluster": "cluster"},
    "weights, clusters": {"weights": "w", "cluster": "cluster"},
    "all": {
        "covariates": ("x1", "x2"),
        "fixed_effect": "block",
        "weights": "w",
        "cluster": "cluster",
    },
}


def wanted(frame: pd.DataFrame, treatments: list[Any], roles: dict[str, Any]) -> Any:
    cluster = roles.get("cluster")
    fit: dict[str, Any] = {"cov_type": "HC1"}
    if cluster is not None:
        fit = {"cov_type": "cluster", "cov_kwds": {"groups": frame[cluster]}}
    return by_statsmodels(
        frame,
        treatments,
        OUTCOMES,
        covariates=roles.get("covariates", ()),
        block=roles.get("fixed_effect"),
        weights=roles.get("weights"),
        **fit,
    )


def check(frame: pd.DataFrame, columns: RowColumns, treatments: Any, roles: Any) -> None:
    data = reduce_rows(PersonRows.from_frame(frame, columns)).estimates
    assert len(set(data.site)) == frame.site.nunique()
    for site, inside in frame.groupby("site"):
        effect, cov = site_covariance(data, str(site))
        expected, expected_cov = wanted(inside, treatments(inside), roles)
        close(effect, expected)
        close(symmetrised(cov, *effect.shape), expected_cov)


@pytest.mark.parametrize("roles", ADJUSTMENTS.values(), ids=ADJUSTMENTS.keys())
class TestEqual:
    def test_two_arms(self, roles: dict[str, Any]) -> None:
        columns = RowColumns("arm", MEDIATORS, "y", site="site", **roles)
        check(people(), columns, lambda f: [f.arm], roles)

    def test_three_arms(self, roles: dict[str, Any]) -> None:
        columns = RowColumns("arm", MEDIATORS, "y", site="site", reference="0", **roles)
        check(people(arms=3), columns, lambda f: [f.arm == 1, f.arm == 2], roles)

    def test_amount(self, roles: dict[str, Any]) -> None:
        columns = RowColumns("dose", MEDIATORS, "y", site="site", continuous=True, **roles)
        check(people(), columns, lambda f: [f.dose], roles)

    def test_several_treatments(self, roles: dict[str, Any]) -> None:
        columns = RowColumns(("dose", "offer"), MEDIATORS, "y", site="site", **roles)
        check(people(), columns, lambda f: [f.dose, f.offer], roles)


def test_hc2() -> None:
    frame = people(arms=3)
    columns = RowColumns("arm", MEDIATORS, "y", site="site", reference="0")
    data = reduce_rows(
        PersonRows.from_frame(frame, columns), Estimation(covariance="HC2")
    ).estimates
    for site, inside in frame.groupby("site"):
        effect, cov = site_covariance(data, str(site))
        arms = [inside.arm == 1, inside.arm == 2]
        expected, expected_cov = by_statsmodels(inside, arms, OUTCOMES, cov_type="HC2")
        close(effect, expected)
        close(symmetrised(cov, *effect.shape), expected_cov)


def test_pooled() -> None:
    """Persons of one arm have one covariance at all sites: V = Σ_t / n_t + Σ_0 / n_0."""
    frame = people(arms=3)
    columns = RowColumns("arm", MEDIATORS, "y", site="site", reference="0")
    data = reduce_rows(
        PersonRows.from_frame(frame, columns), Estimation(covariance="pooled")
    ).estimates
    outcomes = frame[list(OUTCOMES)]
    away = outcomes - outcomes.groupby([frame.site, frame.arm]).transform("mean")
    cells = frame.groupby(["site", "arm"]).size()
    pooled = {}
    for arm in (0, 1, 2):
        inside = away[frame.arm == arm].to_numpy()
        pooled[arm] = inside.T @ inside / (len(inside) - frame.site.nunique())
    for site in frame.site.unique():
        _, cov = site_covariance(data, site)
        shared = pooled[0] / cells[site, 0]
        expected = np.tile(shared, (2, 2))
        for j in (0, 1):
            own = slice(3 * j, 3 * j + 3)
            expected[own, own] += pooled[j + 1] / cells[site, j + 1]
        close(cov, expected)


def test_full_covariance_between_arms() -> None:
    """Arms share the control: Cov(Θ_1a, Θ_2b) = f C_0[a, b] / n_0²."""
    frame = people(arms=3)
    columns = RowColumns("arm", MEDIATORS, "y", site="site", reference="0")
    data = reduce_rows(PersonRows.from_frame(frame, columns)).estimates
    for (i, j), got in data.cross_cov.items():
        assert data.site[i] == data.site[j]
        inside = frame[frame.site == data.site[i]]
        control = inside.loc[inside.arm == 0, list(OUTCOMES)].to_numpy()
        n, n0 = len(inside), len(control)
        close(got, n / (n - 3) * (n0 - 1) * np.cov(control.T) / n0**2)


def test_encouragement() -> None:
    """With an instrument, effects are those of the instrument, on treatment first."""
    frame = people()
    columns = RowColumns("dose", ("m1",), "y", site="site", instrument="offer")
    data = reduce_rows(PersonRows.from_frame(frame, columns)).estimates
    assert data.mediators == ("dose", "m1")
    for row, (_, inside) in enumerate(frame.groupby("site")):
        effect, cov = by_statsmodels(inside, [inside.offer], ("dose", "m1", "y"), cov_type="HC1")
        close(data.mediator_effect[row], effect[0, :2])
        close(data.cov[row], cov)


class TestLogOdds:
    def test_logit(self) -> None:
        frame = people()
        columns = RowColumns("arm", ("b1",), "event", site="site", log_odds=("b1", "event"))
        data = reduce_rows(PersonRows.from_frame(frame, columns)).estimates
        assert data.outcome_scale == "log odds ratio"
        for row, (_, inside) in enumerate(frame.groupby("site")):
            x = sm.add_constant(inside.arm.to_numpy(dtype=float))
            for k, name in enumerate(("b1", "event")):
                found = sm.Logit(inside[name], x).fit(disp=False, tol=1e-14, maxiter=100)
                got = [data.mediator_effect[row, 0], data.total_effect[row]][k]
                assert got == pytest.approx(found.params.iloc[1], rel=1e-9)
                assert data.cov[row, k, k] == pytest.approx(found.cov_params().iloc[1, 1], rel=1e-8)

    def test_clustered(self) -> None:
        frame = people()
        columns = RowColumns(
            "arm", ("m1",), "event", site="site", log_odds=("event",), cluster="cluster"
        )
        data = reduce_rows(PersonRows.from_frame(frame, columns)).estimates
        for row, (_, inside) in enumerate(frame.groupby("site")):
            x = sm.add_constant(inside.arm.to_numpy(dtype=float))
            found = sm.Logit(inside.event, x).fit(
                disp=False, tol=1e-14, cov_type="cluster", cov_kwds={"groups": inside.cluster}
            )
            assert data.cov[row, 1, 1] == pytest.approx(found.cov_params().iloc[1, 1], rel=1e-8)

    def test_covariance_with_a_mean(self) -> None:
        """Cov of a log odds ratio and a difference in means, by the delta method in each arm."""
        frame = people()
        columns = RowColumns("arm", ("m1",), "event", site="site", log_odds=("event",))
        data = reduce_rows(PersonRows.from_frame(frame, columns)).estimates
        for row, (_, inside) in enumerate(frame.groupby("site")):
            total = 0.0
            for _, arm in inside.groupby("arm"):
                p, n = arm.event.mean(), len(arm)
                total += np.cov(arm.m1, arm.event, ddof=0)[0, 1] / n / (p * (1 - p))
            n = len(inside)
            assert data.cov[row, 0, 1] == pytest.approx(total * np.sqrt(n / (n - 2)), rel=1e-9)

    def test_half_counts(self) -> None:
        """Only the site with an empty cell is corrected: Woolf's variance of counts plus a half."""
        frame = people()
        first = (frame.site == "s0") & (frame.arm == 0)
        frame.loc[first, "event"] = 0
        columns = RowColumns("arm", ("m1",), "event", site="site", log_odds=("event",))
        rows = PersonRows.from_frame(frame, columns)
        with pytest.warns(UserWarning, match="s0 .nobody or everybody has 'event'"):
            dropped = reduce_rows(rows)
        assert "s0" not in dropped.estimates.site
        kept = reduce_rows(rows, Estimation(half_counts=True)).estimates
        inside = frame[frame.site == "s0"]
        counts = pd.crosstab(inside.arm, inside.event).to_numpy() + 0.5
        odds = np.log(counts[1, 1] / counts[1, 0]) - np.log(counts[0, 1] / counts[0, 0])
        assert kept.total_effect[0] == pytest.approx(odds, rel=1e-9)
        assert kept.cov[0, 1, 1] == pytest.approx((1 / counts).sum(), rel=1e-9)
        np.testing.assert_allclose(kept.total_effect[1:], dropped.estimates.total_effect)
