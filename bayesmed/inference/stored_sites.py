"""Site estimates as arrays in a file, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.data import PersonCovariance, SiteEstimates

__all__ = ["sites_from_dataset", "sites_to_dataset"]


def sites_to_dataset(data: SiteEstimates) -> xr.Dataset:
    """Return a table of site estimates as labelled arrays."""
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


def sites_from_dataset(stored: xr.Dataset) -> SiteEstimates:
    """Return the table that was stored."""

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
