"""Equal tasks have equal digests, in every process; others have others."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayesmed.core.errors import ModelError
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler
from bayesmed.priors import Prior
from bayesmed.studies.identity import digest
from bayesmed.studies.task import task_seed

VALUES = [
    None, True, 1, 1.0, "1", b"1", -0.0, 0.0, (), [[]], {"a": 1}, {"a": 2}, {1}, Path("a"), "a",
    ("a", "b"), ("ab",), (("a",), "b"), ("a", ("b",)), np.array([1.0]), np.array([1]),
    np.array([[1.0]]), np.array(["a"]), float("nan"), Sampler, digest,
    SiteSlope(), SiteSlope(slope="random"), SiteSlope(priors={"slope": Prior("Normal", sigma=1)}),
    SiteSlope(priors={"slope": Prior("Normal", sigma=2)}), Sampler(), Sampler(draws=10),
]  # fmt: skip


def test_what_differs_has_another_digest(sites: SiteEstimates) -> None:
    other = replace(sites, total_effect=np.nextafter(sites.total_effect, 9.0))
    found = [digest(value) for value in [*VALUES, sites, other]]
    assert len(set(found)) == len(found)


def test_what_is_equal_has_the_same(sites: SiteEstimates) -> None:
    again = SiteSlope(priors={"slope": Prior("Normal", mu=0, sigma=1)})
    assert digest(again) == digest(SiteSlope(priors={"slope": Prior("Normal", sigma=1)}))
    assert digest(replace(sites)) == digest(sites)
    assert digest(np.float64(2.5)) == digest(2.5)
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


def test_another_process_finds_the_same() -> None:
    lines = (
        "from bayesmed.generative import SiteSlope",
        "from bayesmed.priors import Prior",
        "from bayesmed.studies.identity import digest",
        "print(digest((SiteSlope(priors={'slope': Prior('Normal', sigma=1)}), {'x', 'y', 'z'})))",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    here = digest((SiteSlope(priors={"slope": Prior("Normal", sigma=1)}), {"z", "x", "y"}))
    assert done.stdout.strip() == here


def test_a_function_without_a_name_is_refused() -> None:
    with pytest.raises(ModelError, match="without a name"):
        digest((1, [lambda x: x]))


def test_seeds_are_those_of_seed_and_key() -> None:
    found = {task_seed(s, k) for s in (0, 1, 2**32 - 1) for k in ("", "a", "b", "ab", "ba")}
    assert len(found) == 15
    # Pinned: a study begun with one version goes on with the next.
    assert [task_seed(7, "prior 1"), task_seed(7, "ü")] == [4173540226, 3253871130]


def test_tables_are_told_apart_by_columns_and_values() -> None:
    import pandas as pd

    table = pd.DataFrame({"site": ["a", "b"], "n": [1, 2]})
    others = [table.rename(columns={"n": "m"}), table.assign(n=[1, 3]), table.iloc[:1]]
    assert digest(table) == digest(table.copy())
    assert len({digest(x) for x in (table, *others)}) == 4
