"""Settings of an engine are checked when they are made."""

from dataclasses import FrozenInstanceError

import pytest

from bayesmed.core.errors import ModelError
from bayesmed.inference import Sampler


def test_defaults_are_those_safe_at_few_sites():
    sampler = Sampler()
    assert (sampler.engine, sampler.draws, sampler.chains) == ("nuts", 1500, 4)
    few, many = sampler.for_sites(29), sampler.for_sites(30)
    assert (few.target_accept, few.tune) == (0.99, 2000)
    assert (many.target_accept, many.tune) == (0.95, 1000)
    origin = [sampler.for_sites(n, through_origin=True) for n in (14, 15)]
    assert origin == [few, many]
    assert Sampler(tune=7, target_accept=0.5).for_sites(3) == Sampler(tune=7, target_accept=0.5)
    assert sampler.chains * sampler.draws >= 4000


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"engine": "exakt"}, "Did you mean 'exact'?"),
        ({"engine": None}, "There is no engine None"),
        ({"draws": 3}, "draws is 3. Give 4 to"),
        ({"draws": 0}, "Give 4 to"),
        ({"draws": 10**9}, "Give 4 to 1000000"),
        ({"draws": 100.0}, "draws is 100.0. Give a whole number"),
        ({"draws": "100"}, "Give a whole number"),
        ({"draws": True}, "Give a whole number"),
        ({"tune": 0}, "tune is 0. Give 1 to"),
        ({"chains": 0}, "chains is 0. Give 1 to"),
        ({"cores": 0}, "cores is 0. Give 1 to"),
        ({"cores": 1.5}, "cores is 1.5. Give a whole number"),
        ({"target_accept": 1.0}, r"Give one in \(0, 1\)"),
        ({"target_accept": 0.0}, r"Give one in \(0, 1\)"),
        ({"target_accept": float("nan")}, r"Give one in \(0, 1\)"),
        ({"target_accept": 1}, "Give a number below 1"),
        ({"target_accept": True}, "Give a number below 1"),
    ],
)
def test_impossible_settings_are_refused(setting, message):
    with pytest.raises(ModelError, match=message):
        Sampler(**setting)


def test_limits_are_accepted():
    assert Sampler(draws=4, tune=1, chains=1, cores=1, target_accept=0.5).cores == 1


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Sampler().draws = 10
