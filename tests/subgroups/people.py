"""One simulated trial whose effects on mediators differ by age, region and sex."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmed.data import PersonRows, RowColumns

SITE = ("age", "income", "region", "sex")
NAMES = ("region", "sex")


def trial(seed: int = 1, n: int = 4000, differs: bool = True) -> pd.DataFrame:
    """Persons; ``m`` is moved by age and region, ``k`` by sex, ``y`` follows both."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame(
        {
            "t": rng.integers(0, 2, n),
            "age": rng.integers(20, 60, n),
            "income": rng.lognormal(size=n),
            "region": rng.choice(["North", "South", "West"], n),
            "sex": rng.choice(["man", "woman"], n),
            "school": rng.integers(0, 80, n),
        }
    )
    effect = 1.0 + differs * (people.age >= 40) + differs * (people.region == "North")
    people["m"] = 50 + people.t * effect + 0.05 * people.age + rng.normal(size=n)
    moved = people.sex == "man" if differs else 0.5
    people["k"] = people.t * moved + rng.normal(size=n)
    people["y"] = 2 * people.m - people.k + 0.5 * people.t + rng.normal(size=n)
    return people


def rows(people: Any, **changed: Any) -> PersonRows:
    """Rows with the plain roles, some of them changed."""
    plain = {"treatment": "t", "mediators": ("m",), "outcome": "y", "site": SITE}
    return PersonRows.from_frame(people, RowColumns(**{**plain, **changed}))


def shares(units: Any, seed: int) -> NDArray[Any]:
    """Where in [0, 1) the digest of seed and unit puts each person."""
    digests = [hashlib.md5(f"{seed}/{unit}".encode()).hexdigest() for unit in units]
    return np.array([int(digest[:8], 16) / 2**32 for digest in digests])


def effects(people: pd.DataFrame, variables: tuple[str, ...] = ("m", "y")) -> list[float]:
    """Differences in means between the arms."""
    means = people.groupby("t")[list(variables)].mean()
    return (means.loc[1] - means.loc[0]).tolist()
