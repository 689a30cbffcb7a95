"""The model of types: densities against un-integrated forms, what is drawn, what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from pytensor.compile.mode import get_mode
from scipy import stats

from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import TrialCells
from bayesmed.formulas.defiers import broken_stick
from bayesmed.formulas.principal_strata import cell_means, cell_shares
from bayesmed.formulas.principal_types import principal_types, type_names
from bayesmed.formulas.type_intercepts import (
    average_of_moved,
    averages_at,
    bent,
    groups_of_types,
)
from bayesmed.generative import PrincipalStrata, model_from_mapping, model_to_mapping
from bayesmed.generative.principal_strata_draws import completed
from bayesmed.priors import Prior
from tests.classical.cells import drawn as persons
from tests.classical.cells import of_persons
from tests.formulas.test_type_intercepts import sums

MONOTONE = ("both", "instrument", "treatment", "none")
DEFIED = PrincipalStrata(monotone_in="both", outcome_likelihood="moments", defiers=0.2)


def cells(n: int = 400, *, strata: bool = False, seed: int = 1) -> TrialCells:
    frame = persons(np.random.default_rng(seed), n)
    return of_persons(frame if strata else frame.drop(columns="x"))


def binary_cells(n: int = 400) -> TrialCells:
    frame = persons(np.random.default_rng(1), n).drop(columns="x")
    return of_persons(frame.assign(y=(frame.y > frame.y.median()).astype(float)))


def point(model: PrincipalStrata, data: TrialCells, seed: int = 3) -> dict[str, np.ndarray]:
    """Some values of all variables of the graph, on their own scales."""
    graph, rng = model.build(data), np.random.default_rng(seed)
    found = {}
    for variable in graph.free_RVs:
        shape = graph.initial_point()[graph.rvs_to_values[variable].name].shape
        name = variable.name
        if name in ("type_share_position", "defier_share_position") or "share_std" in name:
            found[name] = rng.uniform(0.1, 0.9, size=shape)
        elif name in ("type_average_position", "slope_mean_position"):
            found[name] = rng.uniform(-1.0, 1.0, size=shape)
        elif name in ("type_intercept_position", "type_slope_position"):
            found[name] = rng.normal(size=shape)
        elif name.startswith("cell_mean") and model.likelihood_for(data) == "counts":
            found[name] = rng.uniform(0.1, 0.9, size=shape)
        else:
            found[name] = rng.uniform(0.3, 1.2, size=shape)
    return found


def log_density(model: PrincipalStrata, data: TrialCells, at: dict[str, np.ndarray]) -> float:
    """Log-density of potentials and priors, without Jacobians of transforms."""
    graph = model.build(data)
    logp = graph.compile_fn(graph.logp(jacobian=False), mode="FAST_COMPILE")
    inputs = {}
    for variable in graph.free_RVs:
        value = graph.rvs_to_values[variable]
        transform = graph.rvs_to_transforms[variable]
        raw = at[variable.name]
        if transform is not None:
            raw = transform.forward(raw, *variable.owner.inputs).eval(mode="FAST_COMPILE")
        inputs[value.name] = raw
    return float(logp(inputs))


def shares_at(model: PrincipalStrata, data: TrialCells, at: dict[str, np.ndarray]) -> dict:
    """Parameters in data units at a point, the ones integrated out drawn."""
    flat = {k: v[None] if v.ndim else np.reshape(v, 1) for k, v in at.items()}
    return model.unstandardised(flat, data, np.random.default_rng(5))


class TestDensity:
    @pytest.mark.parametrize("monotone", [*MONOTONE, "defied"])
    def test_moments_against_scipy(self, monotone) -> None:
        """The joint normal of cell means, chi-squares of variances, multinomial counts."""
        if monotone == "defied":
            model = DEFIED
        else:
            model = PrincipalStrata(monotone_in=monotone, outcome_likelihood="moments")
        data = cells()
        at, other = point(model, data, 3), point(model, data, 4)
        by_hand = [_moments_by_hand(model, data, p) for p in (at, other)]
        in_graph = [log_density(model, data, p) for p in (at, other)]
        priors = [_priors_by_hand(model, data, p) for p in (at, other)]
        expected = by_hand[0] + priors[0] - by_hand[1] - priors[1]
        assert in_graph[0] - in_graph[1] == pytest.approx(expected, rel=1e-8)

    def test_counts_against_scipy(self) -> None:
        model, data = PrincipalStrata(), binary_cells()
        assert model.likelihood_for(data) == "counts"
        at, other = point(model, data, 3), point(model, data, 4)
        both = []
        for p in (at, other):
            found = shares_at(model, data, p)
            shares = cell_shares(found["type_share"][0], model.types)
            means = cell_means(
                *(found[k][0] for k in ("type_share", "type_intercept", "type_slope")), model.types
            )
            events = np.round(data.n * data.mean)
            total = 0.0
            for s, d, z in np.ndindex(1, 2, 2):
                k, n = data.n[s, d, z, 1], data.n[s, d, z].sum()
                total += stats.binom(n, shares[s, d, z, 1]).logpmf(k)
                total += stats.binom(data.n[s, d, z], means[s, d, z]).logpmf(events[s, d, z]).sum()
            both.append(total + _priors_by_hand(model, data, p))
        in_graph = [log_density(model, data, p) for p in (at, other)]
        assert in_graph[0] - in_graph[1] == pytest.approx(both[0] - both[1], rel=1e-8)

    def test_a_mixture_is_the_sum_over_persons(self) -> None:
        model = PrincipalStrata(outcome_likelihood="mixture")
        data = with_outcomes(cells(60))
        both = []
        at, other = point(model, data, 3), point(model, data, 4)
        for p in (at, other):
            found = shares_at(model, data, p)
            share, a, b = (found[k][0, 0] for k in ("type_share", "type_intercept", "type_slope"))
            total = 0.0
            for y, cell in zip(*data.outcomes, strict=True):
                d, z, m = int(cell) // 4, int(cell) // 2 % 2, int(cell) % 2
                inside = share * (model.types[:, d, z] == m)
                density = stats.norm(a[:, d] + b[:, d] * m, found["outcome_sd"][0, d]).pdf(y)
                total += np.log((inside * density).sum())
            _, each = model.log_likelihood(found, data)
            assert each.sum() == pytest.approx(total, rel=1e-9)
            both.append(total + _priors_by_hand(model, data, p))
        in_graph = [log_density(model, data, p) for p in (at, other)]
        assert in_graph[0] - in_graph[1] == pytest.approx(both[0] - both[1], rel=1e-8)

    @pytest.mark.parametrize("outcome", ["moments", "counts"])
    def test_gradients(self, outcome) -> None:
        data = cells() if outcome == "moments" else binary_cells()
        model = PrincipalStrata(outcome_likelihood=outcome)
        graph = model.build(data)
        # Sums of more than 32 terms, as rewriting makes them, cannot be run without compiling.
        mode = get_mode("FAST_COMPILE").excluding("canonicalize")
        value, gradient = graph.compile_logp(mode=mode), graph.compile_dlogp(mode=mode)
        start = graph.initial_point()
        rng = np.random.default_rng(6)
        at = {k: v + 0.1 * rng.standard_normal(v.shape) for k, v in start.items()}
        found = gradient(at)
        direction = rng.standard_normal(found.size)
        step, position, ends = 1e-6, 0, []
        for sign in (1, -1):
            moved, position = {}, 0
            for key in [graph.rvs_to_values[v].name for v in graph.free_RVs]:
                size = at[key].size
                part = direction[position : position + size].reshape(at[key].shape)
                moved[key] = at[key] + sign * step * part
                position += size
            ends.append(float(value(moved)))
        assert found @ direction == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4)


class TestWhatWasIntegratedOut:
    def test_types_given_cells_are_the_normal_conditional(self) -> None:
        """Mean and covariance of the draws against conditioning one big normal vector."""
        model, data = PrincipalStrata(outcome_likelihood="moments"), cells()
        at = point(model, data)
        n, t = 40_000, len(model.types)
        flat = {k: np.broadcast_to(v, (n, *np.shape(v))) for k, v in at.items()}
        found = model.unstandardised(dict(flat), data, np.random.default_rng(7))
        one = shares_at(model, data, at)
        mean, cov = _conditional(model, data, one, d=1)
        drawn = np.concatenate(
            [found["type_intercept"][:, 0, :, 1], found["type_slope"][:, 0, :, 1]], axis=1
        )
        error = np.sqrt(np.diag(cov) / n)
        assert (np.abs(drawn.mean(axis=0) - mean) < 5 * error).all()
        apart = np.abs(np.cov(drawn.T) - cov)
        scale = np.sqrt((cov**2 + np.outer(np.diag(cov), np.diag(cov))) / n)
        assert (apart < 6 * scale).all()
        assert t == 9

    def test_cells_follow_from_what_is_drawn(self) -> None:
        """In the means of cells with many persons, drawn types agree with what was seen."""
        data = cells(200_000)
        model = PrincipalStrata(outcome_likelihood="moments")
        found = shares_at(model, data, point(model, data))
        means = cell_means(
            *(found[k] for k in ("type_share", "type_intercept", "type_slope")), model.types
        )
        noise = found["cell_sd"] / np.sqrt(data.n)
        assert (np.abs(means - data.mean) < 6 * noise).all()

    def test_shares_of_the_instrument_are_beta(self) -> None:
        model, data = PrincipalStrata(saturated=True), cells()
        draws = {"mediator_share": np.full((50_000, 1, 2, 2), 0.5)}
        found = completed(model, draws, data, np.random.default_rng(1))["instrument_share"][:, 0, 1]
        n = data.persons[0].sum(axis=0)
        exact = stats.beta(1 + n[1], 1 + n[0])
        assert found.mean() == pytest.approx(exact.mean(), abs=5 * exact.std() / np.sqrt(50_000))
        assert found.std() == pytest.approx(exact.std(), rel=0.02)


class TestInvariance:
    def test_units_of_the_outcome(self) -> None:
        """Shifted and rescaled outcomes have the same density in standardised units."""
        model, data = PrincipalStrata(outcome_likelihood="moments"), cells()
        frame = persons(np.random.default_rng(1), 400).drop(columns="x")
        moved = of_persons(frame.assign(y=100.0 + 25.0 * frame.y))
        here, there = model.observations(data), model.observations(moved)
        for name in here:
            np.testing.assert_allclose(here[name], there[name], rtol=1e-9, atol=1e-9)

    def test_priors_in_outcome_units(self) -> None:
        frame = persons(np.random.default_rng(1), 400).drop(columns="x")
        model = PrincipalStrata(outcome_likelihood="moments")
        here = model.priors_for(of_persons(frame))
        there = model.priors_for(of_persons(frame.assign(y=25.0 * frame.y)))
        for name, prior in here.items():
            if prior.distribution != "LogNormal":
                ratio = there[name].parameters["sigma"] / prior.parameters["sigma"]
                assert ratio == pytest.approx(25.0)

    def test_one_structure_for_any_numbers(self) -> None:
        """Counts, sizes of effects and a fixed σ_het change no graph; choices do."""
        model = PrincipalStrata(heterogeneity=0.0)
        assert model.structure(cells()) == model.structure(cells(50_000, seed=2))
        one, two = (PrincipalStrata(defiers=share).structure(cells()) for share in (0.1, 0.2))
        assert one == two != PrincipalStrata().structure(cells())
        other = PrincipalStrata(heterogeneity=3.0, share_concentration=2.0)
        assert model.structure(cells()) == other.structure(cells())
        assert model.structure(cells()) != PrincipalStrata().structure(cells())
        both = PrincipalStrata(monotone_in="both", heterogeneity=0.0)
        assert model.structure(cells()) != both.structure(cells())


class TestPrior:
    @pytest.mark.parametrize("monotone", MONOTONE)
    def test_drawn_parameters_are_possible(self, monotone) -> None:
        model, data = PrincipalStrata(monotone_in=monotone), binary_cells()
        found = model.prior_draws(data, 500, np.random.default_rng(1))
        a, b = found["type_intercept"], found["type_slope"]
        assert (a >= 0).all()
        assert (a + b <= 1 + 1e-12).all()
        np.testing.assert_allclose(found["type_share"].sum(axis=-1), 1.0)
        assert found["type_share"].shape == (500, 1, len(model.types))

    def test_heterogeneity_is_the_spread_of_slopes(self) -> None:
        model, data = PrincipalStrata(heterogeneity=2.5), cells()
        found = model.prior_draws(data, 4000, np.random.default_rng(1))
        apart = found["type_slope"] - found["slope_mean"][:, :, None]
        assert apart.std() == pytest.approx(2.5, rel=0.02)
        none = PrincipalStrata(heterogeneity=0.0)
        same = none.prior_draws(data, 10, np.random.default_rng(1))
        np.testing.assert_allclose(same["type_slope"], same["slope_mean"][:, :, None].repeat(9, 2))


class TestDefiers:
    def test_their_share_is_what_was_said(self) -> None:
        """Of draws from prior and from coordinates: everybody else obeys."""
        data = cells()
        obeys = [n in type_names(principal_types("both")) for n in type_names(DEFIED.types)]
        prior = DEFIED.prior_draws(data, 4000, np.random.default_rng(1))["type_share"]
        at = shares_at(DEFIED, data, point(DEFIED, data))["type_share"]
        assert sum(obeys) == 6
        for share in (prior, at):
            np.testing.assert_allclose(share[..., obeys].sum(axis=-1), 0.8)
            np.testing.assert_allclose(share.sum(axis=-1), 1.0)
        for group, total in ((obeys, 0.8), (np.invert(obeys), 0.2)):
            own = prior[:, 0, group]
            even = stats.dirichlet(np.ones(own.shape[1]))
            error = 5 * total * np.sqrt(even.var() / 4000)
            assert (np.abs(own.mean(axis=0) - total * even.mean()) < error).all()

    def test_uniform_positions_are_uniform_shares(self) -> None:
        """The broken stick against the moments of the uniform Dirichlet."""
        n = 40_000
        at = np.random.default_rng(2).uniform(size=(n, 6))
        share = np.stack(broken_stick(list(at.T)), axis=-1)
        even = stats.dirichlet(np.ones(7))
        np.testing.assert_allclose(share.sum(axis=1), 1.0)
        assert (np.abs(share.mean(axis=0) - 1 / 7) < 5 * np.sqrt(even.var() / n)).all()
        apart = np.abs(np.cov(share.T) - even.cov())
        assert apart.max() < 0.05 * even.var().max()

    def test_nobody_falls_without_them(self) -> None:
        assert not PrincipalStrata().falling
        assert PrincipalStrata(defiers=0.01).falling
        assert PrincipalStrata(monotone_in="treatment").falling


class TestReplicates:
    @pytest.mark.parametrize("outcome", ["moments", "counts", "mixture"])
    def test_cells_around_their_expectation(self, outcome) -> None:
        data = binary_cells(4000) if outcome == "counts" else with_outcomes(cells(4000))
        model = PrincipalStrata(outcome_likelihood=outcome)
        one = shares_at(model, data, point(model, data))
        draws = {k: np.repeat(v, 3000, axis=0) for k, v in one.items()}
        found = model.replicated(draws, data, np.random.default_rng(1))
        shares = cell_shares(one["type_share"][0], model.types)[..., 1]
        sd = np.sqrt(shares * (1 - shares) / data.persons)
        z = (found["mediator_share"].mean(axis=0) - shares) / (sd / np.sqrt(3000))
        assert np.abs(z).max() < 5
        means = cell_means(
            *(one[k][0] for k in ("type_share", "type_intercept", "type_slope")), model.types
        )
        drawn = found["cell_mean"]
        error = drawn.std(axis=0) / np.sqrt(3000)
        assert (np.abs(drawn.mean(axis=0) - means) < 5 * error).all()
        assert set(found) == set(model.observed(data))


class TestRefusals:
    @pytest.mark.parametrize(
        ("choices", "problem"),
        [
            ({"monotone_in": "instrumental"}, "monotone_in"),
            ({"heterogeneity": -1.0}, "heterogeneity is -1"),
            ({"heterogeneity": True}, "heterogeneity is True"),
            ({"heterogeneity": Prior("Normal", sigma=1)}, "allows more than positive"),
            ({"share_concentration": 0}, "share_concentration is 0"),
            ({"defiers": 1}, "defiers is 1"),
            ({"defiers": -0.1}, "defiers is -0.1"),
            ({"defiers": True}, "defiers is True"),
            ({"defiers": 0.1, "monotone_in": "none"}, "no monotonicity to defy"),
            ({"defiers": 0.1, "saturated": True}, "no types to defy"),
            ({"saturated": "yes"}, "saturated is 'yes'"),
            ({"saturated": True, "outcome_likelihood": "mixture"}, "no types to mix"),
            ({"outcome_likelihood": "median"}, "outcome_likelihood"),
            ({"priors": {"slope": Prior("Normal", sigma=1)}}, "no parameter"),
            ({"priors": {"slope_heterogeneity": Prior("HalfNormal", sigma=1)}}, "heterogeneity"),
            ({"saturated": True, "priors": {"mediator_share": Prior("Normal", sigma=1)}}, "0 to 1"),
        ],
    )
    def test_impossible_choices(self, choices, problem) -> None:
        with pytest.raises(ModelError, match=problem):
            PrincipalStrata(**choices)

    def test_counts_of_an_amount(self) -> None:
        with pytest.raises(DataError, match="not 0 or 1"):
            PrincipalStrata(outcome_likelihood="counts").check_data(cells())

    def test_a_mixture_without_persons(self) -> None:
        with pytest.raises(DataError, match="keep_outcomes"):
            PrincipalStrata(outcome_likelihood="mixture").check_data(cells())

    def test_averages_that_cannot_be_integrated(self) -> None:
        model = PrincipalStrata(priors={"slope_mean": Prior("Cauchy", beta=1)})
        with pytest.raises(ModelError, match="integrated out"):
            model.check_data(cells())

    def test_a_risk_difference_beyond_one(self) -> None:
        model = PrincipalStrata(priors={"slope_mean": Prior("Normal", sigma=1)})
        model.check_data(cells())
        with pytest.raises(ModelError, match="from -1 to 1"):
            model.check_data(binary_cells())

    def test_priors_a_likelihood_does_not_have(self) -> None:
        model = PrincipalStrata(priors={"cell_sd": Prior("HalfNormal", sigma=1)})
        with pytest.raises(ModelError, match="cell_sd"):
            model.check_data(binary_cells())


def test_models_travel_as_plain_values_and_between_processes() -> None:
    model = PrincipalStrata(
        monotone_in="both",
        defiers=0.05,
        heterogeneity=Prior("HalfNormal", sigma=2),
        priors={"slope_mean": Prior("Normal", sigma=3)},
    )
    assert model_from_mapping(model_to_mapping(model)) == model
    assert pickle.loads(pickle.dumps(model)) == model  # our own bytes
    assert hash(model) == hash(pickle.loads(pickle.dumps(model)))


def with_outcomes(data: TrialCells) -> TrialCells:
    """Persons whose outcomes have the means and squares of the cells: two values in each."""
    outcome, cell = [], []
    for c, (n, mean, squares) in enumerate(
        zip(data.n.ravel(), data.mean.ravel(), data.squares.ravel(), strict=True)
    ):
        away = np.zeros(int(n))
        away[: 2 * (int(n) // 2)] = np.tile([1.0, -1.0], int(n) // 2)
        if n > 1:
            away *= np.sqrt(squares / (away**2).sum())
        outcome += (mean + away - away.mean()).tolist()
        cell += [c] * int(n)
    return TrialCells(
        data.n, data.mean, data.squares, outcomes=(np.array(outcome), np.array(cell, dtype=float))
    )


def _priors_by_hand(model: PrincipalStrata, data: TrialCells, at: dict[str, np.ndarray]) -> float:
    """Log prior of what is sampled, and the density of its coordinates."""
    from bayesmed.formulas.type_shares import means_at, shares_of_types
    from bayesmed.generative.trial_parameters import standardised

    total = 0.0
    coords, priors = model.coords(data), model.priors_for(data)
    for parameter in model.table(data):
        if parameter.name in model.integrated(data):
            continue
        values = at.get(f"{parameter.name}_std")
        if values is None:  # it follows from coordinates, and has no units of its own
            values = shares_at(model, data, at)[parameter.name][0]
        hyper = standardised(parameter, coords, priors)
        kind = next(p for k, p in priors.items() if k.startswith(parameter.name)).distribution
        for index in np.ndindex(*np.shape(values)):
            own = Prior(kind, **{k: float(v[index]) for k, v in hyper.items()})
            total += float(own.log_density(values[index]))
    told = means_at(model.monotone_in, list(at["type_share_position"]))
    width = told.width * shares_of_types(model.monotone_in, told.mean, told.rest).width
    total += float(np.log(width))
    if "type_slope_position" in at:
        total += stats.norm.logpdf(at["type_slope_position"]).sum()
        if model.likelihood_for(data) == "mixture":
            total += stats.norm.logpdf(at["type_intercept_position"]).sum()
        else:
            total += _averages_by_hand(model, data, at)
    return total


def _averages_by_hand(model: PrincipalStrata, data: TrialCells, at: dict[str, np.ndarray]) -> float:
    """Log-density of averages' coordinates; `tests/formulas/test_type_intercepts.py` tests it."""
    types, found = model.types, shares_at(model, data, at)
    slope, groups = found["type_slope"][0, 0], groups_of_types(types)
    own = sums(found["type_share"][0, 0], slope, groups)
    coordinate = 0.5 + 0.25 * at["type_average_position"]
    total = float(averages_at(own, coordinate, groups).log_density)
    share = np.tile(found["type_share"][0, 0], 2)
    away = average_of_moved(share, at["type_slope_position"], types)
    spread = float(found["slope_heterogeneity"][0])
    told = bent(0.25 * at["slope_mean_position"] - spread * away, -1.0, 2.0)
    np.testing.assert_allclose(found["slope_mean"][0, 0], told.above - 1.0, atol=1e-12)
    return total + float(told.log_slope.sum())


def _moments_by_hand(model: PrincipalStrata, data: TrialCells, at: dict[str, np.ndarray]) -> float:
    found = shares_at(model, data, at)
    total = 0.0
    shares = cell_shares(found["type_share"][0], model.types)
    total += float((data.n * np.log(shares)).sum())
    sd = found["cell_sd"][0]
    total += stats.chi2(data.n - 1).logpdf(data.squares / sd**2).sum() - (2 * np.log(sd)).sum()
    for d in range(2):
        mean, cov, _ = _of_cells(model, data, found, d)
        total += stats.multivariate_normal(mean, cov).logpdf(data.mean[0, d].ravel())
    return total


def _of_cells(
    model: PrincipalStrata, data: TrialCells, found: dict[str, np.ndarray], d: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and covariance of an arm's cell means, and their covariance with (a_t, b_t)."""
    types, share = model.types, found["type_share"][0, 0]
    t = len(types)
    loadings = np.zeros((4, 2 * t))
    for c, (z, m) in enumerate(np.ndindex(2, 2)):
        inside = share * (types[:, d, z] == m)
        loadings[c, :t] = inside / inside.sum()
        loadings[c, t:] = loadings[c, :t] * m
    mean, cov = _of_types(model, data, found, d)
    noise = np.diag(found["cell_sd"][0, 0, d].ravel() ** 2 / data.n[0, d].ravel())
    return loadings @ mean, loadings @ cov @ loadings.T + noise, loadings @ cov


def _of_types(
    model: PrincipalStrata, data: TrialCells, found: dict[str, np.ndarray], d: int
) -> tuple[np.ndarray, np.ndarray]:
    t, priors = len(model.types), model.priors_for(data)
    a, b = (priors[f"{name}_mean[all, {d}]"].parameters for name in ("intercept", "slope"))
    het = float(found["slope_heterogeneity"][0])
    spread = float(found["intercept_heterogeneity"][0])
    cov = np.zeros((2 * t, 2 * t))
    cov[:t, :t] = a["sigma"] ** 2 + spread**2 * np.eye(t)
    cov[t:, t:] = b["sigma"] ** 2 + het**2 * np.eye(t)
    return np.concatenate([np.full(t, a["mu"]), np.full(t, b["mu"])]), cov


def _conditional(
    model: PrincipalStrata, data: TrialCells, found: dict[str, np.ndarray], d: int
) -> tuple[np.ndarray, np.ndarray]:
    mean, cov = _of_types(model, data, found, d)
    expected, seen, across = _of_cells(model, data, found, d)
    gain = np.linalg.solve(seen, across).T
    return mean + gain @ (data.mean[0, d].ravel() - expected), cov - gain @ across
