"""Averages of types' probabilities: their density, their coordinates, types given them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from bayesmed.formulas.principal_strata import cell_means
from bayesmed.formulas.principal_types import MONOTONE, principal_types
from bayesmed.formulas.strata_likelihood import intercept_bounds
from bayesmed.formulas.sums_of_uniforms import density_of_sum, drawn_parts
from bayesmed.formulas.type_intercepts import (
    SumsOfGroups,
    averages_at,
    bent,
    groups_of_types,
)


def by_inclusion(total: float, room: list[float]) -> float:
    """Density of a sum of uniform numbers by inclusion and exclusion (Irwin and Hall)."""
    k, found = len(room), 0.0
    for taken in product((0, 1), repeat=k):
        beyond = total - float(np.dot(taken, room))
        found += (-1) ** sum(taken) * (beyond > 0) * abs(beyond) ** (k - 1)
    return found / float(np.prod(room)) / float(np.prod(range(1, k)))


@pytest.mark.parametrize("room", [[0.7], [0.3, 0.8], [0.3, 0.8, 0.5], [0.3, 0.8, 0.5, 0.6]])
def test_density_of_a_sum(room) -> None:
    for part in (0.01, 0.2, 0.5, 0.77, 0.99):
        total = part * sum(room)
        found = density_of_sum(np.array([total]), [np.array([c]) for c in room])
        assert float(found[0]) == pytest.approx(by_inclusion(total, room), rel=1e-9)


def test_a_room_of_nothing_is_no_part() -> None:
    """Parts that can hardly be are left out, without a loss of digits."""
    total, room = np.array([0.4]), [np.array([0.3]), np.array([0.8])]
    full, tiny = density_of_sum(total, room), density_of_sum(total, [*room, np.array([1e-11])])
    assert float(tiny[0]) == pytest.approx(float(full[0]), rel=1e-6)


@pytest.mark.parametrize("room", [[0.3, 0.8], [0.3, 0.8, 0.5], [0.3, 0.8, 0.5, 0.6]])
def test_parts_given_their_sum(room) -> None:
    """Against uniform numbers whose sum happens to be near."""
    rng, rooms = np.random.default_rng(1), np.array(room)
    every = rng.uniform(size=(2_000_000, len(room))) * rooms
    total = 0.45 * rooms.sum()
    near = every[np.abs(every.sum(axis=1) - total) < 0.004]
    found = drawn_parts(np.full(40_000, total), np.tile(rooms, (40_000, 1)), rng)
    np.testing.assert_allclose(found.sum(axis=1), total, atol=1e-9)
    assert (found >= 0).all()
    assert (found <= rooms + 1e-12).all()
    for i in range(len(room)):
        assert stats.ks_2samp(near[:, i], found[:, i]).pvalue > 1e-4


def sums(share, slope, groups) -> SumsOfGroups:
    """Sums over groups, type after type."""
    low, high = intercept_bounds(slope)
    flat = [(share[:, None] * x).T.ravel() for x in (np.ones_like(slope), slope, low, high - low)]
    by_type = [x @ groups.member for x in flat[:3]]
    return SumsOfGroups(*by_type, [flat[3] @ place for place in groups.place])


@pytest.mark.parametrize("monotone", MONOTONE)
def test_the_constants_make_all_sums_at_once(monotone) -> None:
    rng, types = np.random.default_rng(2), principal_types(monotone)
    groups, share = groups_of_types(types), rng.dirichlet(np.ones(len(types)))
    slope = rng.uniform(-1, 1, size=(len(types), 2))
    low, high = intercept_bounds(slope)
    values = [(share[:, None] * x).T.ravel() for x in (slope**0, slope, low, high - low)]
    found = np.split(np.concatenate(values) @ groups.sums, 3 + len(groups.place))
    expected = sums(share, slope, groups)
    for one, other in zip(found, [*expected[:3], *expected.room], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-15)


@pytest.mark.parametrize("monotone", MONOTONE)
def test_averages_make_the_means_of_cells(monotone) -> None:
    """Types drawn with these averages have the cells that follow from the averages alone."""
    rng, types = np.random.default_rng(3), principal_types(monotone)
    groups, share = groups_of_types(types), rng.dirichlet(np.ones(len(types)))
    slope = rng.uniform(-0.6, 0.6, size=(len(types), 2))
    own = sums(share, slope, groups)
    found = averages_at(own, rng.uniform(0.2, 0.8, size=len(groups.sizes)), groups)
    low, high = intercept_bounds(slope)
    room = (share[:, None] * (high - low)).T.ravel()
    part = np.zeros_like(room)
    for g, size in enumerate(groups.sizes):
        members = [int(np.flatnonzero(place[:, g])[0]) for place in groups.place[:size]]
        part[members] = drawn_parts(found.mass[g], room[members], rng)
    intercept = low + (part.reshape(2, -1).T / share[:, None])
    assert (intercept >= low - 1e-9).all()
    assert (intercept <= high + 1e-9).all()
    expected = cell_means(share, intercept, slope, types)
    averages = np.concatenate([own.share * found.without, own.share * found.having])
    persons = np.concatenate([own.share, own.share]) @ groups.cells
    np.testing.assert_allclose((averages @ groups.cells / persons).ravel(), expected.ravel())


@pytest.mark.parametrize("monotone", MONOTONE)
def test_the_density_is_that_of_averages_of_uniform_probabilities(monotone) -> None:
    """Density of the sum of masses, times how fast it moves with the coordinate."""
    rng, types = np.random.default_rng(4), principal_types(monotone)
    groups, share = groups_of_types(types), rng.dirichlet(np.ones(len(types)))
    slope = rng.uniform(-0.6, 0.6, size=(len(types), 2))
    own, step = sums(share, slope, groups), 1e-6
    at = rng.uniform(0.1, 0.9, size=len(groups.sizes))
    ahead, behind = (averages_at(own, at + s * step, groups).mass for s in (1, -1))
    here, total = averages_at(own, at, groups), 0.0
    for g, size in enumerate(groups.sizes):
        room = [float(own.room[k][g]) for k in range(size)]
        density = by_inclusion(float(here.mass[g]), room)
        total += np.log(density * (ahead[g] - behind[g]) / (2 * step))
    assert float(here.log_density) == pytest.approx(total, rel=1e-6)


def test_bending_is_smooth_and_keeps_the_bounds() -> None:
    x, step = np.linspace(-3, 3, 61), 1e-6
    found = bent(x, -0.4, 1.1)
    assert (found.above >= 0).all()
    assert (found.above <= 1.1).all()
    ahead, behind = (bent(x + s * step, -0.4, 1.1).above for s in (1, -1))
    inside = np.abs(x) < 1.0
    slope = (ahead - behind) / (2 * step)
    np.testing.assert_allclose(np.exp(found.log_slope)[inside], slope[inside], rtol=1e-5)
    np.testing.assert_allclose(-0.4 + found.above[28:32], x[28:32], atol=1e-3)


def test_far_coordinates_come_near_the_bounds() -> None:
    types = principal_types("instrument")
    groups, rng = groups_of_types(types), np.random.default_rng(5)
    share, slope = rng.dirichlet(np.ones(9)), rng.uniform(-0.6, 0.6, size=(9, 2))
    own = sums(share, slope, groups)
    most = sum(own.room)
    for at, mass in ((-4.0, 0.0), (5.0, most)):
        found = averages_at(own, np.full(6, at), groups)
        np.testing.assert_allclose(found.mass, mass, atol=1e-9)
        assert np.isfinite(found.log_density)
