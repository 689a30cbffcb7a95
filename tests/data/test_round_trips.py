"""Ways of writing the same table, orders of rows and units: nothing but the writing changes."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from bayesmed.data import DataWarning, MediatorColumns, SiteColumns, SiteEstimates

Z = 1.959963984540054


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(2, 6))

    def column(low: float, high: float) -> Any:
        return draw(hnp.arrays(float, rows, elements=numbers(low, high)))

    frame = pd.DataFrame({"g": column(-5, 5), "t": column(-50, 50)})
    frame["g"] += np.linspace(0, 20, rows)
    for name in ("g", "t"):
        frame[f"{name}_se"] = column(0.05, 3)
        frame[f"{name}_low"] = frame[name] - Z * frame[f"{name}_se"]
        frame[f"{name}_high"] = frame[name] + Z * frame[f"{name}_se"]
    frame["corr"] = column(-0.95, 0.95)
    frame["cov"] = frame["corr"] * frame["g_se"] * frame["t_se"]
    frame["weight"] = column(0.5, 9)
    return frame


def quietly(frame: pd.DataFrame, columns: SiteColumns) -> SiteEstimates:
    with warnings.catch_warnings():
        # Random tables may happen to look as if they held variances.
        warnings.simplefilter("ignore", DataWarning)
        return SiteEstimates.from_frame(frame, columns)


@given(frames())
def test_errors_intervals_covariances_and_correlations_agree(frame: pd.DataFrame) -> None:
    ends = {name: (f"{name}_low", f"{name}_high") for name in "gt"}
    ways = [
        SiteColumns((MediatorColumns("m", "g", "g_se", cov="cov"),), "t", "t_se"),
        SiteColumns((MediatorColumns("m", "g", "g_se", corr="corr"),), "t", "t_se"),
        SiteColumns(
            (MediatorColumns("m", "g", interval=ends["g"], corr="corr"),),
            "t",
            total_effect_interval=ends["t"],
        ),
    ]
    first, *others = (quietly(frame, way) for way in ways)
    assert_allclose(first.mediator_se[:, 0], frame["g_se"], rtol=1e-12)
    assert_allclose(first.cov[:, 0, 1], frame["cov"], rtol=1e-12, atol=1e-300)
    for other in others:
        assert_allclose(other.cov, first.cov, rtol=1e-9)
        assert_array_equal(other.mediator_effect, first.mediator_effect)
    arrays = SiteEstimates.from_arrays(
        mediator_effect=frame["g"], total_effect=frame["t"], cov=first.cov, mediators=["m"]
    ) if not first.notes else first  # fmt: skip
    assert arrays.fingerprint == first.fingerprint


@given(frames(), st.randoms(use_true_random=False))
def test_order_of_rows_only_orders(frame: pd.DataFrame, random: Any) -> None:
    columns = SiteColumns(
        (MediatorColumns("m", "g", "g_se", cov="cov"),), "t", "t_se", weight="weight"
    )
    order = list(range(len(frame)))
    random.shuffle(order)
    data = quietly(frame, columns)
    shuffled = dataclasses.replace(
        quietly(frame.iloc[order], columns), site=tuple(data.site[i] for i in order)
    )
    taken = data.take(order)
    assert taken.site == shuffled.site
    assert_array_equal(taken.cov, shuffled.cov)
    assert_allclose(taken.weight, shuffled.weight, rtol=1e-14)
    back = taken.take([order.index(i) for i in range(len(order))])
    assert_array_equal(back.mediator_effect, data.mediator_effect)
    assert_array_equal(back.block, data.block)


@given(frames(), numbers(1e-4, 1e4), numbers(1e-4, 1e4), st.sampled_from([1, -1]))
def test_units(frame: pd.DataFrame, mediator: float, outcome: float, sign: int) -> None:
    columns = SiteColumns((MediatorColumns("m", "g", "g_se", corr="corr"),), "t", "t_se")
    data = quietly(frame, columns)
    mine = data.rescaled([sign * mediator], outcome)
    scaled = frame.assign(
        g=frame["g"] * sign * mediator,
        g_se=frame["g_se"] * mediator,
        t=frame["t"] * outcome,
        t_se=frame["t_se"] * outcome,
        corr=frame["corr"] * sign,
    )
    theirs = quietly(scaled, columns)
    assert_allclose(mine.cov, theirs.cov, rtol=1e-12)
    assert_allclose(mine.mediator_effect, theirs.mediator_effect, rtol=1e-12)
    assert_allclose(mine.total_effect, theirs.total_effect, rtol=1e-12)
    assert_array_equal(mine.weight, data.weight)
