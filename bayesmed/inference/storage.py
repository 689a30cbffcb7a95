"""Saving a fit to NetCDF or Zarr, and reading it back as it was.

Model, data, sampler and seed travel with the draws as plain JSON and arrays: nothing that could
be executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.errors import InputError, StorageError
from bayesmed.core.seeds import checked_seed
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.generative import model_from_mapping, model_to_mapping
from bayesmed.inference.fit import Fit
from bayesmed.inference.sampler import Sampler

FORMAT = "bayesmed-fit"
FORMAT_VERSION = 1
DATA = "site_estimates"
SUFFIXES = (".nc", ".zarr")
# What entries other than those that were saved may raise.
DAMAGE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, InputError)


def save_fit(fit: Fit, path: str | os.PathLike[str]) -> Path:
    """Write a fit to a NetCDF file (``.nc``) or a Zarr folder (``.zarr``), whole or not at all.

    Raises
    ------
    StorageError
        If the suffix is another one, or the place cannot be written.
    """
    target = Path(path)
    _check_suffix(target)
    tree = fit.tree.copy()
    tree[DATA] = xr.DataTree(_data_to_dataset(fit.data))
    tree.attrs = {
        **fit.tree.attrs,
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": json.dumps(model_to_mapping(fit.model)),
        "sampler": json.dumps(asdict(fit.sampler)),
        "seed": str(fit.seed),
        "contents": json.dumps(_contents(tree)),
        "digest": _digest(tree),
    }
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            part = Path(folder) / target.name
            if target.suffix == ".nc":
                tree.to_netcdf(part, engine="h5netcdf")
                part.replace(target)
            else:
                tree.to_zarr(part, consolidated=False)
                _replace_folder(target, part, Path(folder) / "previous")
    except OSError as error:
        raise StorageError(
            f"The fit could not be written to {target}: {error.strerror or error}.",
            "Choose a folder that exists and can be written.",
        ) from error
    except ValueError as error:
        # Names that the format has no place for: characters 0 and half pairs.
        raise StorageError(
            f"The fit could not be written to {target}: {error}.",
            "Take unusual characters out of the names of sites and mediators.",
        ) from error
    return target


def load_fit(path: str | os.PathLike[str]) -> Fit:
    """Read a fit that ``save_fit`` wrote.

    Raises
    ------
    StorageError
        If there is no such fit, the file is damaged, or a newer version wrote it.
    """
    source = Path(path)
    _check_suffix(source)
    if not source.exists():
        raise StorageError(f"There is no {source}.", "Check the path.")
    try:
        tree = _read(source)
    except Exception as error:  # a damaged file makes the libraries below raise nearly anything
        raise StorageError(f"{source} cannot be read: {error}.", "Fit again.") from error
    if str(tree.attrs.get("format")) != FORMAT:
        raise StorageError(f"{source} is not a saved fit of bayesmed.", "Check the path.")
    try:
        version = int(tree.attrs["format_version"])
        if version == FORMAT_VERSION:
            return _restored(tree)
    except DAMAGE as error:
        raise StorageError(f"{source} is damaged: {error}.", "Fit again.") from error
    raise StorageError(
        f"{source} has format version {version}; this bayesmed reads {FORMAT_VERSION}.",
        "Install a newer bayesmed." if version > FORMAT_VERSION else "Fit again.",
    )


def _restored(tree: xr.DataTree) -> Fit:
    """Rebuild a fit from what was read."""
    attrs = dict(tree.attrs)
    if attrs.pop("digest") != _digest(tree):
        raise ValueError("its numbers are not those that were saved")
    for name in ("format", "format_version"):
        del attrs[name]
    model = model_from_mapping(json.loads(attrs.pop("model")))
    sampler = Sampler(**json.loads(attrs.pop("sampler")))
    seed = checked_seed(int(attrs.pop("seed")))
    data = _data_from_dataset(tree[DATA].to_dataset())
    # Zarr forgets the order of groups and variables.
    contents = json.loads(attrs.pop("contents"))
    groups = {group: tree[group].to_dataset()[names] for group, names in contents.items()}
    del groups[DATA]
    restored = xr.DataTree.from_dict(groups)
    restored.attrs = attrs
    return Fit(model, data, sampler, seed, restored)


def _contents(tree: xr.DataTree) -> dict[str, list[str]]:
    """Names of the groups and of their variables, in order."""
    return {name: [str(v) for v in node.data_vars] for name, node in tree.children.items()}


def _digest(tree: xr.DataTree) -> str:
    """Hash every value: Zarr takes a lost piece for missing values, NetCDF changed ones as is."""
    found = hashlib.sha256()
    for group in sorted(tree.children):
        variables = tree[group].to_dataset().variables
        for name in sorted(variables, key=str):
            values = np.ascontiguousarray(variables[name].values)
            head = [group, str(name), variables[name].dims, values.shape]
            text = values.dtype.kind not in "biuf"
            found.update(json.dumps(head).encode())
            found.update(json.dumps(values.ravel().tolist()).encode() if text else values.tobytes())
    return found.hexdigest()


def _replace_folder(target: Path, new: Path, previous: Path) -> None:
    """Put a new folder in the place of an earlier one, which is back there if that fails."""
    if target.exists():
        target.replace(previous)
    try:
        new.replace(target)
    except BaseException:
        if previous.exists():
            previous.replace(target)
        raise


def _check_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise StorageError(f"{path.name} does not end in .nc or .zarr.", "Choose one of the two.")


def _read(source: Path) -> xr.DataTree:
    if source.suffix == ".nc":
        with xr.open_datatree(source, engine="h5netcdf") as opened:
            return opened.load()
    with xr.open_datatree(source, engine="zarr", consolidated=False) as opened:
        return opened.load()


def _data_to_dataset(data: SiteEstimates) -> xr.Dataset:
    variables: dict[str, Any] = {
        "site": ("row", list(data.site)),
        "block": ("row", data.block),
        "mediators": ("mediator", list(data.mediators)),
        "mediator_effect": (("row", "mediator"), data.mediator_effect),
        "total_effect": ("row", data.total_effect),
        "cov": (("row", "estimate", "estimate_"), data.cov),
        "weight": ("row", data.weight),
    }
    if data.arm is not None:
        variables["arm"] = ("row", list(data.arm))
    if data.n is not None:
        variables["n"] = ("row", data.n)
    if data.covariates:
        names = list(data.covariates)
        variables["covariate_names"] = ("covariate", names)
        variables["covariates"] = (("covariate", "row"), [data.covariates[k] for k in names])
    if data.cross_cov:
        variables["cross_rows"] = (("pair", "two"), [list(pair) for pair in data.cross_cov])
        variables["cross_cov"] = (
            ("pair", "estimate", "estimate_"),
            np.stack(list(data.cross_cov.values())),
        )
    if (persons := data.persons) is not None:
        variables |= _persons_to_variables(persons)
    attrs = {
        "outcome": data.outcome,
        "outcome_scale": data.outcome_scale,
        "covariance_given": int(data.covariance_given),
        "notes": json.dumps(list(data.notes)),
        "source": data.source,
        "derivation": data.derivation,
    }
    return xr.Dataset(variables, attrs=attrs)


def _persons_to_variables(persons: PersonCovariance) -> dict[str, Any]:
    pairs = persons.cross_weight
    stored: dict[str, Any] = {
        "person_groups": ("group", list(persons.groups)),
        "person_cross": (("group", "estimate", "estimate_"), persons.cross),
        "person_df": ("group", persons.df),
        "person_weight": (("row", "group"), persons.weight),
        "person_clustered": ((), int(persons.clustered)),
    }
    if pairs:
        stored["person_pairs"] = (("person_pair", "two"), [list(pair) for pair in pairs])
        stored["person_pair_weight"] = (("person_pair", "group"), np.stack(list(pairs.values())))
    return stored


def _persons_from_dataset(stored: xr.Dataset) -> PersonCovariance | None:
    if "person_cross" not in stored:
        return None
    pairs: dict[tuple[int, int], Any] = {}
    if "person_pairs" in stored:
        rows = [(int(i), int(j)) for i, j in stored["person_pairs"].values]
        pairs = dict(zip(rows, stored["person_pair_weight"].values, strict=True))
    return PersonCovariance(
        groups=tuple(str(name) for name in stored["person_groups"].values),
        cross=stored["person_cross"].values,
        df=stored["person_df"].values,
        weight=stored["person_weight"].values,
        cross_weight=pairs,
        clustered=bool(stored["person_clustered"].values),
    )


def _data_from_dataset(stored: xr.Dataset) -> SiteEstimates:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(str(value) for value in stored[name].values)

    def numbers(name: str) -> Any:
        return np.asarray(stored[name].values)

    cross: Mapping[tuple[int, int], Any] = {}
    if "cross_cov" in stored:
        rows = [(int(i), int(j)) for i, j in numbers("cross_rows")]
        cross = dict(zip(rows, numbers("cross_cov"), strict=True))
    covariates = {}
    if "covariates" in stored:
        covariates = dict(zip(texts("covariate_names"), numbers("covariates"), strict=True))
    return SiteEstimates(
        site=texts("site"),
        arm=texts("arm") if "arm" in stored else None,
        block=numbers("block"),
        mediators=texts("mediators"),
        outcome=str(stored.attrs["outcome"]),
        outcome_scale=str(stored.attrs["outcome_scale"]),
        mediator_effect=numbers("mediator_effect"),
        total_effect=numbers("total_effect"),
        cov=numbers("cov"),
        cross_cov=cross,
        weight=numbers("weight"),
        n=numbers("n") if "n" in stored else None,
        covariates=covariates,
        covariance_given=bool(stored.attrs["covariance_given"]),
        notes=tuple(json.loads(stored.attrs["notes"])),
        source=str(stored.attrs["source"]),
        derivation=str(stored.attrs.get("derivation", "")),  # fits saved earlier have none
        persons=_persons_from_dataset(stored),
    )
