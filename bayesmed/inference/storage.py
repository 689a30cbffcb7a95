"""Saving a fit to NetCDF or Zarr, and reading it back as it was.

Model, data, sampler and seed travel with the draws as plain JSON and arrays: nothing that could
be executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.errors import InputError, StorageError
from bayesmed.core.seeds import checked_seed
from bayesmed.data import SiteEstimates
from bayesmed.generative import model_from_mapping, model_to_mapping
from bayesmed.inference.fit import Fit, TrialFit
from bayesmed.inference.sampler import Sampler
from bayesmed.inference.stored_sites import sites_from_dataset, sites_to_dataset
from bayesmed.inference.stored_trials import TRIALS, trial_from_dataset, trial_to_dataset

FORMAT = "bayesmed-fit"
FORMAT_VERSION = 1
SITES = "site_estimates"
SUFFIXES = (".nc", ".zarr")
# What entries other than those that were saved may raise.
DAMAGE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, InputError)


def save_fit(fit: Fit | TrialFit, path: str | os.PathLike[str]) -> Path:
    """Write a fit to a NetCDF file (``.nc``) or a Zarr folder (``.zarr``), whole or not at all.

    Parameters
    ----------
    fit
        The fit, of sites or of one trial.
    path
        File that ends in ``.nc``, or folder that ends in ``.zarr``; one that is there is replaced
        when the new one is complete.

    Raises
    ------
    StorageError
        If the suffix is another one, or the place cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import bayesmed as bm
    >>> card = bm.load_card(bm.find_card("berkey1998"))
    >>> exact = bm.Sampler(engine="exact")
    >>> fit = bm.fit(card.model, card.load_data(), sampler=exact, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_fit(fit, folder + "/fit.nc").name
    'fit.nc'
    """
    target = Path(path)
    _check_suffix(target)
    tree = fit.tree.copy()
    data: Any = fit.data
    if isinstance(data, SiteEstimates):
        tree[SITES] = xr.DataTree(sites_to_dataset(data))
    else:
        tree[TRIALS[type(data)]] = xr.DataTree(trial_to_dataset(data))
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


def load_fit(path: str | os.PathLike[str]) -> Fit[Any, Any]:
    """Read a fit that ``save_fit`` wrote.

    Parameters
    ----------
    path
        What `save_fit` wrote.

    Raises
    ------
    StorageError
        If there is no such fit, the file is damaged, or a newer version wrote it.

    Examples
    --------
    >>> import tempfile
    >>> import bayesmed as bm
    >>> card = bm.load_card(bm.find_card("berkey1998"))
    >>> exact = bm.Sampler(engine="exact")
    >>> fit = bm.fit(card.model, card.load_data(), sampler=exact, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load_fit(save_fit(fit, folder + "/fit.nc"))
    >>> bool((again.tree["posterior"]["slope"] == fit.tree["posterior"]["slope"]).all())
    True
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


def _restored(tree: xr.DataTree) -> Fit[Any, Any]:
    """Rebuild a fit from what was read."""
    attrs = dict(tree.attrs)
    if attrs.pop("digest") != _digest(tree):
        raise ValueError("its numbers are not those that were saved")
    for name in ("format", "format_version"):
        del attrs[name]
    model = model_from_mapping(json.loads(attrs.pop("model")))
    sampler = Sampler(**json.loads(attrs.pop("sampler")))
    seed = checked_seed(int(attrs.pop("seed")))
    places = [name for name in (SITES, *TRIALS.values()) if name in tree.children]
    if len(places) != 1:
        raise ValueError(f"it holds {len(places)} sets of data")
    (place,) = places
    stored = tree[place].to_dataset()
    data: Any = sites_from_dataset(stored) if place == SITES else trial_from_dataset(place, stored)
    # Zarr forgets the order of groups and variables.
    contents = json.loads(attrs.pop("contents"))
    groups = {group: tree[group].to_dataset()[names] for group, names in contents.items()}
    del groups[place]
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
