"""A fit comes back from a file as it was, or is refused; a failed write changes nothing."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayesmed.core.errors import StorageError
from bayesmed.data import SiteEstimates
from bayesmed.effects import effects, parameters
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit, load_fit, save_fit
from bayesmed.priors import Prior

SUFFIXES = [".nc", ".zarr"]
HOSTILE = [
    "a/b",
    "..",
    "  leading",
    "trailing  ",
    "two\nlines",
    "tab\t",
    "quote\"'`",
    "<script>alert(1)</script>",
    "é☃😀",
    "\u202eright to left",
    "NaN",
    "True",
    "1e5",
    "x" * 300,
    "__import__('os').system('true')",
]


@pytest.fixture(scope="module")
def hostile_fit():
    """Names, weights, covariates and priors of every kind, from the exact engine."""
    n = len(HOSTILE)
    rng = np.random.default_rng(1)
    effect = rng.normal(0.4, 0.3, n)
    data = SiteEstimates.from_arrays(
        mediator_effect=effect,
        total_effect=2 * effect + rng.normal(0, 0.2, n),
        cov=np.tile([[0.01, 0.003], [0.003, 0.02]], (n, 1, 1)),
        site=HOSTILE,
        arm=[f"arm {i % 2}" for i in range(n)],
        mediators=["<effort & 'grit'>"],
        outcome='turn"out',
        outcome_scale="log odds ratio",
        weight=1.0 / np.arange(3, n + 3),
        n=np.arange(n) + 10.0,
        covariates={"age / years": rng.normal(size=n), "x": np.arange(n) * 1.0},
        covariance_given=False,
        source="a file; of mine.csv",
        derivation='Differences\nin <means> "é☃".',
    )
    model = SiteSlope(
        priors={
            "slope": Prior("StudentT", nu=3, mu=0, sigma=2, unit="scaled"),
            "mediator_effect_sd": Prior("HalfStudentT", nu=4, sigma=1.0 / 3.0),
            "direct_effect_mean": Prior("Normal", mu=0.1, sigma=0.7),
            "direct_effect_sd": Prior("Uniform", lower=0, upper=2),
        }
    )
    sampler = Sampler(engine="exact", draws=20, chains=3)
    return fit(model, data, sampler=sampler, seed=2**32 - 1)


def assert_same(loaded, saved):
    assert loaded.model == saved.model
    assert loaded.sampler == saved.sampler
    assert loaded.seed == saved.seed
    assert loaded.tree.attrs == saved.tree.attrs
    assert list(loaded.tree.children) == list(saved.tree.children)
    for group, node in saved.tree.children.items():
        found = loaded.tree[group].to_dataset()
        assert found.identical(node.to_dataset()), group
        assert list(found.data_vars) == list(node.data_vars)
    assert loaded.data.fingerprint == saved.data.fingerprint
    for words in ("source", "notes", "derivation"):
        assert getattr(loaded.data, words) == getattr(saved.data, words)
    assert loaded.data.to_frame().equals(saved.data.to_frame())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["nuts_fit", "exact_fit", "indirect_fit", "hostile_fit"])
def test_a_fit_comes_back_as_it_was(name, suffix, request, tmp_path):
    saved = request.getfixturevalue(name)
    path = save_fit(saved, tmp_path / f"fit{suffix}")
    assert path == tmp_path / f"fit{suffix}"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    loaded = load_fit(str(path))
    assert_same(loaded, saved)
    assert repr(loaded) == repr(saved)
    pd.testing.assert_frame_equal(effects(loaded).table(), effects(saved).table())
    pd.testing.assert_frame_equal(parameters(loaded), parameters(saved))
    # And a copy of the copy is no different.
    assert_same(load_fit(save_fit(loaded, tmp_path / f"again{suffix}")), saved)


def test_a_loaded_fit_can_be_computed_again(exact_fit, tmp_path):
    loaded = load_fit(save_fit(exact_fit, tmp_path / "fit.nc"))
    again = fit(loaded.model, loaded.data, sampler=loaded.sampler, seed=loaded.seed)
    assert again.tree["posterior"].to_dataset().identical(exact_fit.tree["posterior"].to_dataset())


def test_a_fit_saved_before_derivations_were_kept_has_none(hostile_fit, tmp_path):
    path = save_fit(hostile_fit, tmp_path / "fit.nc")
    with xr.open_datatree(path, engine="h5netcdf") as opened:
        tree = opened.load()
    del tree["site_estimates"].attrs["derivation"]
    tree.to_netcdf(tmp_path / "old.nc", engine="h5netcdf")
    loaded = load_fit(tmp_path / "old.nc")
    assert loaded.data.derivation == ""
    assert loaded.data.fingerprint == hostile_fit.data.fingerprint


def test_saving_leaves_the_fit_alone(exact_fit, tmp_path):
    before = exact_fit.tree.copy(deep=True)
    save_fit(exact_fit, tmp_path / "fit.nc")
    assert exact_fit.tree.identical(before)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
        .map(str.strip)
        .filter(bool),
        min_size=3,
        max_size=5,
        unique=True,
    ),
    scale=st.floats(1e-6, 1e6),
)
def test_any_names_and_numbers_come_back(names, scale, made_fit, tmp_path):
    n = len(names)
    rng = np.random.default_rng(n)
    data = SiteEstimates.from_arrays(
        mediator_effect=scale * rng.normal(size=n),
        total_effect=rng.normal(size=n),
        cov=np.tile(np.diag([0.25 * scale**2, 0.25]), (n, 1, 1)),
        site=names,
        weight=rng.uniform(size=n),
    )
    saved = made_fit(shape=(1, 4), data=data)
    assert_same(load_fit(save_fit(saved, tmp_path / "fit.nc")), saved)


@pytest.mark.parametrize("name", ["fit", "fit.csv", "fit.nc.part", "fit.NC"])
def test_another_suffix_is_refused(exact_fit, name, tmp_path):
    with pytest.raises(StorageError, match=r"does not end in \.nc or \.zarr\. Choose"):
        save_fit(exact_fit, tmp_path / name)
    with pytest.raises(StorageError, match=r"does not end in \.nc or \.zarr\. Choose"):
        load_fit(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_places_that_do_not_exist(exact_fit, suffix, tmp_path):
    with pytest.raises(StorageError, match=r"There is no .* Check the path"):
        load_fit(tmp_path / f"none{suffix}")
    with pytest.raises(StorageError, match=r"could not be written.*Choose a folder that exists"):
        save_fit(exact_fit, tmp_path / "none" / f"fit{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_source_no_file_can_hold(made_fit, sites, tmp_path):
    data = dataclasses.replace(sites, source="half a pair \ud800")
    with pytest.raises(StorageError, match="Take unusual characters out of the names"):
        save_fit(made_fit(shape=(1, 4), data=data), tmp_path / "fit.nc")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def stored(exact_fit, tmp_path):
    return save_fit(exact_fit, tmp_path / "fit.nc")


def test_truncated_files_are_refused(stored):
    whole = stored.read_bytes()
    for share in (0.0, 0.001, 0.3, 0.7, 0.99):
        stored.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(StorageError, match=r"cannot be read.*Fit again"):
            load_fit(stored)


def test_random_bytes_are_refused(stored):
    stored.write_bytes(np.random.default_rng(1).bytes(50_000))
    with pytest.raises(StorageError, match=r"cannot be read.*Fit again"):
        load_fit(stored)
    stored.write_text("chain,draw,slope\n0,0,1.5\n")
    with pytest.raises(StorageError, match=r"cannot be read.*Fit again"):
        load_fit(stored)


# Closing a file that h5netcdf could not open complains where nobody can catch it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_changed_byte_goes_unnoticed(exact_fit, tmp_path):
    """A damaged file is refused as such, or reads as it was (in bytes that hold nothing)."""
    small = exact_fit.tree.copy()
    path = save_fit(exact_fit, tmp_path / "fit.nc")
    whole = path.read_bytes()
    rng = np.random.default_rng(2)
    refused = 0
    for _ in range(12):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 10):
            damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(damaged))
        try:
            loaded = load_fit(path)
        except StorageError:
            refused += 1
        else:
            assert loaded.tree["posterior"].to_dataset().equals(small["posterior"].to_dataset())
    assert refused > 8


def test_changed_draws_are_refused(stored):
    with xr.open_datatree(stored, engine="h5netcdf") as opened:
        tree = opened.load()
    tree["posterior"]["slope"] = tree["posterior"]["slope"] + 1e-9
    tree.to_netcdf(stored, engine="h5netcdf")
    with pytest.raises(StorageError, match=r"numbers are not those that were saved\. Fit again"):
        load_fit(stored)


@pytest.mark.parametrize("lost", ["posterior/slope/c", "posterior/slope", "posterior", "zarr.json"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_zarr_folder_with_a_piece_missing_is_refused(exact_fit, lost, tmp_path):
    path = save_fit(exact_fit, tmp_path / "fit.zarr")
    piece = path / lost
    if piece.is_dir():
        shutil.rmtree(piece)
    else:
        piece.unlink()
    with pytest.raises(StorageError, match=r"(damaged|cannot be read).*Fit again"):
        load_fit(path)


def test_a_file_of_another_program_is_refused(exact_fit, tmp_path):
    for suffix in SUFFIXES:
        path = tmp_path / f"other{suffix}"
        if suffix == ".nc":
            exact_fit.tree.to_netcdf(path, engine="h5netcdf")
        else:
            exact_fit.tree.to_zarr(path, consolidated=False)
        with pytest.raises(StorageError, match=r"not a saved fit of bayesmed\. Check the path"):
            load_fit(path)


def with_attributes(path: Path, **changes: object) -> Path:
    """Rewrite attributes of a stored fit; None takes one away."""
    with xr.open_datatree(path, engine="h5netcdf") as opened:
        tree = opened.load()
    attrs = tree.attrs | changes
    tree.attrs = {key: value for key, value in attrs.items() if value is not None}
    tree.to_netcdf(path, engine="h5netcdf")
    return path


def test_a_later_format_is_refused_by_name(stored):
    with pytest.raises(
        StorageError, match=r"format version 99; this bayesmed reads 1\. Install a newer bayesmed"
    ):
        load_fit(with_attributes(stored, format_version=99))


def test_an_unknown_earlier_format_is_refused(stored):
    with pytest.raises(StorageError, match=r"format version 0; this bayesmed reads 1\. Fit again"):
        load_fit(with_attributes(stored, format_version=0))


MODEL = {"type": "site_slope", "slope": "constant", "direct_effect": True, "priors": {}}
NORMAL = {"distribution": "Normal", "mu": 0, "sigma": 1}


@pytest.mark.parametrize(
    "attributes",
    [
        {"model": None},
        {"model": "{"},
        {"model": "[]"},
        {"model": "null"},
        {"model": json.dumps({})},
        {"model": json.dumps(MODEL | {"type": "os.system"})},
        {"model": json.dumps(MODEL | {"type": ["site_slope"]})},
        {"model": json.dumps(MODEL | {"evil": 1})},
        {"model": json.dumps(MODEL | {"slope": "__import__('os').system('touch PWNED')"})},
        {"model": json.dumps(MODEL | {"direct_effect": "__import__('os').system('touch PWNED')"})},
        {"model": json.dumps(MODEL | {"priors": [1]})},
        {"model": json.dumps(MODEL | {"priors": {"__class__": NORMAL}})},
        {"model": json.dumps(MODEL | {"priors": {"slope": "Normal(0, 1)"}})},
        {"model": json.dumps(MODEL | {"priors": {"slope": NORMAL | {"evil": 1}}})},
        {"model": json.dumps(MODEL | {"priors": {"slope": NORMAL | {"sigma": "1"}}})},
        {
            "model": json.dumps(
                MODEL | {"priors": {"slope": NORMAL | {"distribution": "__import__('os')"}}}
            )
        },
        {"sampler": json.dumps({"evil": 1})},
        {"sampler": json.dumps({"draws": -1})},
        {"sampler": "[]"},
        {"seed": "-1"},
        {"seed": "__import__('os').system('touch PWNED')"},
        {"contents": json.dumps({"posterior": ["no_such_variable"]})},
        {"contents": "7"},
        {"digest": None},
        {"format_version": "__import__('os').system('touch PWNED')"},
        {"format_version": None},
    ],
    ids=lambda attributes: str(attributes)[:60],
)
def test_tampered_attributes_are_refused_and_never_run(stored, attributes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match=r"is damaged: .*Fit again"):
        load_fit(with_attributes(stored, **attributes))
    assert [p.name for p in tmp_path.iterdir()] == ["fit.nc"]


def contents_of(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path.parent)): p.read_bytes() for p in files}


class Killed(BaseException):
    """What a signal handler raises."""


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left"), Killed])
@pytest.mark.parametrize("moment", ["writing", "moving"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_interrupted_write_changes_nothing(
    exact_fit, indirect_fit, suffix, moment, error, tmp_path, monkeypatch
):
    path = save_fit(exact_fit, tmp_path / f"fit{suffix}")
    before = contents_of(path)
    to_netcdf, to_zarr, replace = xr.DataTree.to_netcdf, xr.DataTree.to_zarr, Path.replace

    def half(write):
        def interrupted(self, target, **options):
            write(self, target, **options)
            raise error

        return interrupted

    def interrupted_move(self, target):
        # The new fit is whole but does not get to its place.
        if Path(target) == path and self.name == path.name:
            raise error
        return replace(self, target)

    if moment == "writing":
        monkeypatch.setattr(xr.DataTree, "to_netcdf", half(to_netcdf))
        monkeypatch.setattr(xr.DataTree, "to_zarr", half(to_zarr))
    else:
        monkeypatch.setattr(Path, "replace", interrupted_move)
    expected = StorageError if isinstance(error, OSError) else error
    with pytest.raises(expected):
        save_fit(indirect_fit, path)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert contents_of(path) == before
    assert_same(load_fit(path), exact_fit)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_earlier_fit_is_replaced_whole(exact_fit, indirect_fit, suffix, tmp_path):
    path = save_fit(exact_fit, tmp_path / f"fit{suffix}")
    save_fit(indirect_fit, path)
    assert_same(load_fit(path), indirect_fit)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
