"""Refits give one table in this process, in others, and on a Dask cluster, by either engine."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from pandas.testing import assert_frame_equal

from bayesmed.inference import Fit, Sampler
from bayesmed.studies.sensitivity import prior_sensitivity

FEW = Sampler(draws=100, tune=200, chains=2)


def test_sampled_refits_are_the_same_in_other_processes(nuts_fit: Fit) -> None:
    # Compiled here already, and anew in the worker, where sums may be taken in another order.
    options = {"parameters": ("slope", "direct_effect_sd"), "factors": (0.5, 2.0), "sampler": FEW}
    with ThreadPoolExecutor(1) as own:
        here = prior_sensitivity(nuts_fit, executor=own, **options)  # type: ignore[arg-type]
    there = prior_sensitivity(nuts_fit, workers=1, **options)  # type: ignore[arg-type]
    assert here.failures().empty
    assert set(here.table()["engine"]) == {"nuts"}
    assert_frame_equal(here.table(), there.table(), check_exact=False, rtol=1e-9, atol=0.0)


def test_integrated_refits_are_the_same_on_a_cluster(exact_fit: Fit) -> None:
    distributed = pytest.importorskip("distributed")
    options = {"parameters": ("slope", "direct_effect_sd"), "factors": (0.5, 2.0)}

    def study(executor: Executor | None) -> object:
        return prior_sensitivity(exact_fit, executor=executor, workers=2, **options).table()  # type: ignore[arg-type]

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor(pure=False) as executor,
    ):
        assert_frame_equal(study(executor), study(None), check_exact=True)
