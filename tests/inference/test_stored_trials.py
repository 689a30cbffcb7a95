"""Data of one trial in a file: what is saved comes back, what was damaged is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayesmed.core.errors import StorageError
from bayesmed.data import TrialCells, TrialMoments, TrialNames, TrialPersons
from bayesmed.generative import (
    CovariateIV,
    PrincipalStrata,
    RandomCoefficients,
    model_from_mapping,
    model_to_mapping,
)
from bayesmed.inference import Fit, load_fit, save_fit
from bayesmed.inference.storage import DAMAGE, _contents, _digest
from bayesmed.inference.stored_trials import TRIALS, trial_from_dataset, trial_to_dataset
from bayesmed.priors import Prior
from tests.inference.test_storage import HOSTILE
from tests.trial_fits import made

NORMAL = Prior("Normal", mu=0.1, sigma=1.0 / 3.0)


def persons(**names: Any) -> TrialPersons:
    """Sixty persons with two covariates and odd names."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 2))
    r = (np.arange(60) % 3 > 0).astype(float)
    m = x[:, 0] * r + rng.normal(size=60)
    return TrialPersons(
        names=TrialNames(covariates=(HOSTILE[0], HOSTILE[7]), **names),
        treatment=r,
        covariates=x,
        post_baseline=np.empty((60, 0)),
        mediator=m,
        outcome=m / 3.0 + rng.normal(size=60),
        source="a file; of mine.csv",
        notes=("One <b>.", 'Two "q".'),
    )


def no_covariates(amount: bool = False) -> TrialPersons:
    data = persons(arms=None if amount else ("no", "yes"))
    names = replace(data.names, covariates=())
    treatment = data.treatment + amount * np.arange(60) / 7
    return replace(data, names=names, covariates=np.empty((60, 0)), treatment=treatment)


def cells(kept: bool = False) -> TrialCells:
    n = np.arange(8.0).reshape(1, 2, 2, 2) + 5
    cell = np.repeat(np.arange(8.0), n.ravel().astype(int))
    y = np.random.default_rng(1).normal(size=cell.size)
    mean = np.array([y[cell == c].mean() for c in range(8)]).reshape(n.shape)
    squares = np.array([((y[cell == c]) ** 2).sum() for c in range(8)]).reshape(n.shape)
    return TrialCells(
        n=n,
        mean=mean,
        squares=squares - n * mean**2,
        stratum=(HOSTILE[8],),
        instrument=HOSTILE[6],
        derivation="By hand\nof mine.",
        source="cells.csv",
        notes=("A note.",),
        outcomes=(y, cell) if kept else None,
    )


FITS: dict[str, Callable[[], Fit[Any, Any]]] = {
    "moments": lambda: made(
        CovariateIV(direct_modifier={HOSTILE[0]: NORMAL}, slope_modifier={HOSTILE[7]: 1.0 / 3.0}),
        TrialMoments.from_persons(persons()),
    ),
    "persons": lambda: made(CovariateIV(person_effects="random"), persons()),
    "cut": lambda: made(
        CovariateIV(slope_modifier={HOSTILE[0]: NORMAL}), TrialMoments.from_persons(persons())
    ),
    "arms": lambda: made(RandomCoefficients(priors={"slope": NORMAL}), no_covariates()),
    "amounts": lambda: made(RandomCoefficients(direct_effect=True), no_covariates(amount=True)),
    "cells": lambda: made(PrincipalStrata(heterogeneity=1.0 / 3.0), cells()),
    "outcomes": lambda: made(PrincipalStrata(outcome_likelihood="mixture"), cells(kept=True)),
}


@pytest.mark.parametrize(
    ("name", "suffix"), [*((name, ".nc") for name in FITS), ("moments", ".zarr"), ("cut", ".zarr")]
)
def test_a_fit_of_a_trial_comes_back_as_it_was(name: str, suffix: str, tmp_path: Path) -> None:
    saved = FITS[name]()
    loaded = load_fit(save_fit(saved, tmp_path / f"fit{suffix}"))
    assert loaded.model == saved.model
    assert (loaded.sampler, loaded.seed) == (saved.sampler, saved.seed)
    assert list(loaded.tree.children) == list(saved.tree.children)
    for group, node in saved.tree.children.items():
        assert loaded.tree[group].to_dataset().identical(node.to_dataset()), group
    assert type(loaded.data) is type(saved.data)
    assert loaded.data.fingerprint == saved.data.fingerprint
    for words in ("names", "notes", "source", "derivation", "instrument", "stratum"):
        assert getattr(loaded.data, words, None) == getattr(saved.data, words, None)


@pytest.mark.parametrize("name", ["moments", "persons", "amounts", "cells", "outcomes"])
def test_every_number_of_the_data_comes_back(name: str) -> None:
    data = FITS[name]().data
    stored = trial_to_dataset(data)
    found = trial_from_dataset(TRIALS[type(data)], stored)
    for field in ("n", "mean", "cross", "squares", "treatment", "covariates", "mediator"):
        if hasattr(data, field):
            np.testing.assert_array_equal(getattr(found, field), getattr(data, field))
    if getattr(data, "outcomes", None) is not None:
        np.testing.assert_array_equal(np.stack(found.outcomes), np.stack(data.outcomes))


@pytest.fixture(scope="module")
def saved() -> dict[str, Fit[Any, Any]]:
    return {name: FITS[name]() for name in ("moments", "persons", "cells")}


type Change = Callable[[xr.Dataset], xr.Dataset]


def words(**given: object) -> Change:
    """Change attributes; None takes one away."""

    def change(stored: xr.Dataset) -> xr.Dataset:
        attrs = {k: v for k, v in (stored.attrs | given).items() if v is not None}
        return stored.drop_attrs().assign_attrs(attrs)

    return change


def number(name: str, value: float) -> Change:
    def change(stored: xr.Dataset) -> xr.Dataset:
        values = stored[name].values.copy()
        values[(0,) * values.ndim] = value
        return stored.assign({name: stored[name].copy(data=values)})

    return change


def lost(name: str) -> Change:
    return lambda stored: stored.drop_vars(name)


EVIL = "__import__('os').system('touch PWNED')"
M, P, C = (TRIALS[kind] for kind in (TrialMoments, TrialPersons, TrialCells))
NAMES = {"treatment": "t", "mediator": "m", "outcome": "y", "arms": ["0", "1"]}
DAMAGED = [
    (M, words(names=None)),
    (M, words(names="{")),
    (M, words(names="[]")),
    (M, words(names=EVIL)),
    (M, words(names=json.dumps(NAMES))),
    (M, words(names=json.dumps(NAMES | {"evil": 1}))),
    (M, words(names=json.dumps(NAMES | {"arms": None}))),
    (M, words(notes="7")),
    (M, words(source=None)),
    (M, number("n", -1.0)),
    (M, number("n", np.nan)),
    (M, number("mean", np.inf)),
    (M, number("cross", -1.0)),
    (M, lost("cross")),
    (P, number("treatment", 0.5)),
    (P, number("outcome", np.nan)),
    (P, lost("covariates")),
    (C, words(stratum='["a", "b"]')),
    (C, words(stratum="[]")),
    (C, words(instrument=" ")),
    (C, words(instrument=None)),
    (C, words(derivation=None)),
    (C, number("n", 2.5)),
    (C, number("squares", -1.0)),
    (C, number("outcomes", 99.0)),
    (C, lost("mean")),
]


@pytest.mark.parametrize(("place", "change"), DAMAGED)
def test_damaged_data_are_refused_and_never_run(
    place: str, change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = {M: lambda: TrialMoments.from_persons(persons()), P: persons, C: lambda: cells(True)}
    stored = trial_to_dataset(data[place]())
    trial_from_dataset(place, stored)
    with pytest.raises(DAMAGE):
        trial_from_dataset(place, change(stored))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [TrialMoments, TrialPersons, TrialCells])
def test_data_of_another_kind_are_refused(kind: type) -> None:
    for data in (TrialMoments.from_persons(persons()), persons(), cells()):
        if not isinstance(data, kind):
            with pytest.raises(DAMAGE):
                trial_from_dataset(TRIALS[kind], trial_to_dataset(data))


def edited(path: Path, change: Callable[[xr.DataTree], None]) -> Path:
    """Change what was stored as somebody would who means harm: the digest is right again."""
    with xr.open_datatree(path, engine="h5netcdf") as opened:
        tree = opened.load()
    change(tree)
    tree.attrs |= {"contents": json.dumps(_contents(tree)), "digest": _digest(tree)}
    tree.to_netcdf(path, engine="h5netcdf")
    return path


def test_a_file_with_damaged_data_is_refused(
    saved: dict[str, Fit[Any, Any]], tmp_path: Path
) -> None:
    def put(tree: xr.DataTree, place: str, stored: xr.Dataset) -> None:
        tree[place] = xr.DataTree(stored)

    def moved(tree: xr.DataTree) -> None:
        put(tree, "elsewhere", tree[C].to_dataset())
        del tree[C]

    changes: list[Callable[[xr.DataTree], None]] = [
        lambda tree: put(tree, C, number("n", 2.5)(tree[C].to_dataset())),
        lambda tree: put(tree, C, words(names=EVIL)(tree[C].to_dataset())),
        lambda tree: put(tree, M, tree[C].to_dataset()),
        moved,
    ]
    for change in changes:
        path = edited(save_fit(saved["cells"], tmp_path / "fit.nc"), change)
        with pytest.raises(StorageError, match=r"is damaged: .*Fit again"):
            load_fit(path)


def test_changed_numbers_are_noticed(saved: dict[str, Fit[Any, Any]], tmp_path: Path) -> None:
    for name, place, variable in (("moments", M, "mean"), ("persons", P, "outcome")):
        path = save_fit(saved[name], tmp_path / f"{name}.nc")
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.load()
        tree[place][variable] = tree[place][variable] + 1e-9
        tree.to_netcdf(path, engine="h5netcdf")
        with pytest.raises(StorageError, match=r"numbers are not those that were saved"):
            load_fit(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "trial"},
        {"evil": 1},
        {"errors": EVIL},
        {"instruments": EVIL},
        {"direct_modifier": EVIL},
        {"direct_modifier": {"age": EVIL}},
        {"slope_modifier": [["age", {"distribution": EVIL}]]},
    ],
)
def test_tampered_models_are_refused(
    changes: dict[str, object], saved: dict[str, Fit[Any, Any]]
) -> None:
    written = model_to_mapping(saved["moments"].model)
    assert model_from_mapping(json.loads(json.dumps(written))) == saved["moments"].model
    with pytest.raises(DAMAGE):
        model_from_mapping(json.loads(json.dumps(written | changes)))
