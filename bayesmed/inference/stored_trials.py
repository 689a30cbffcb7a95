"""Moments, persons or cells of one trial as arrays in a file, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.data import OneTrial, TrialCells, TrialMoments, TrialNames, TrialPersons

__all__ = ["TRIALS", "trial_from_dataset", "trial_to_dataset"]

TRIALS: Mapping[type, str] = {
    TrialMoments: "trial_moments",
    TrialPersons: "trial_persons",
    TrialCells: "trial_cells",
}
"""The group of a file that holds data of each kind."""
ARRAYS: Mapping[type, tuple[str, ...]] = {
    TrialMoments: ("n", "mean", "cross"),
    TrialPersons: ("treatment", "covariates", "post_baseline", "mediator", "outcome"),
    TrialCells: ("n", "mean", "squares"),
}


def trial_to_dataset(data: OneTrial) -> xr.Dataset:
    """Return the data of one trial as labelled arrays."""
    variables: dict[str, Any] = {}
    for name in ARRAYS[type(data)]:
        values = getattr(data, name)
        variables[name] = (tuple(f"{name}_{i}" for i in range(values.ndim)), values)
    words = {
        "names": json.dumps(asdict(data.names)),
        "notes": json.dumps(list(data.notes)),
        "source": data.source,
    }
    if isinstance(data, TrialCells):
        words |= {
            "stratum": json.dumps(list(data.stratum)),
            "instrument": data.instrument,
            "derivation": data.derivation,
        }
        if data.outcomes is not None:
            variables["outcomes"] = (("outcomes_0", "outcomes_1"), np.stack(data.outcomes))
    return xr.Dataset(variables, attrs=words)


def trial_from_dataset(place: str, stored: xr.Dataset) -> OneTrial:
    """Return the data that were stored in the group ``place``."""
    kind = next(kind for kind, name in TRIALS.items() if name == place)
    words: dict[str, Any] = {
        "names": TrialNames(**_names(json.loads(stored.attrs["names"]))),
        "notes": tuple(json.loads(stored.attrs["notes"])),
        "source": str(stored.attrs["source"]),
    }
    arrays: dict[str, Any] = {name: np.asarray(stored[name].values) for name in ARRAYS[kind]}
    if kind is TrialMoments:
        return TrialMoments(**arrays, **words)
    if kind is TrialPersons:
        return TrialPersons(**arrays, **words)
    outcomes = None
    if "outcomes" in stored:
        both = np.asarray(stored["outcomes"].values)
        outcomes = both[0], both[1]
    return TrialCells(
        **arrays,
        **words,
        stratum=tuple(json.loads(stored.attrs["stratum"])),
        instrument=str(stored.attrs["instrument"]),
        derivation=str(stored.attrs["derivation"]),
        outcomes=outcomes,
    )


def _names(read: dict[str, Any]) -> dict[str, Any]:
    """Turn the lists of JSON into tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}
