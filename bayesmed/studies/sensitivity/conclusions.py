"""Estimates under several priors beside those of the fit, and which conclusions differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.names import AVERAGE_SLOPE, SLOPE
from bayesmed.core.numbers import number
from bayesmed.studies.sensitivity.quantities import CONCLUSIONS

if TYPE_CHECKING:
    import pandas as pd

MOVED = 0.5
"""An estimate that moves by more of the fit's posterior sds than this has moved."""
MEDIAN_NOISE, END_NOISE = 1.25, 2.67
"""Monte Carlo errors of a median and of an end of a 95 % interval over that of the mean, for a
normal posterior."""
NOISES = 3.0
"""Monte Carlo errors of a difference that nothing but a difference explains."""
NORMAL_WIDTH = 3.92
"""Width of a 95 % interval in sds, for a normal posterior."""
COLUMNS = (
    "prior", "quantity", "mediator", "mean", "sd", "q2.5", "q50", "q97.5", "p_positive", "shift",
    "width_ratio", "sign_changed", "interval_changed", "moved", "mc_error", "engine", "converged",
    "divergences", "r_hat", "ess_bulk", "ess_tail",
)  # fmt: skip
# Some of them are missing everywhere where all was integrated, or all are ratios.
NUMBERS = ("mean", "sd", "mc_error", "divergences", "r_hat", "ess_bulk", "ess_tail")
CHANGES = ("prior", "quantity", "mediator", "conclusion", "before", "after", "clear", "converged")


def compared(estimates: pd.DataFrame, fitted: str) -> pd.DataFrame:
    """Put every estimate beside that of the fit; `PriorSensitivity.table` says what comes of it.

    Parameters
    ----------
    estimates
        Columns prior, quantity, mediator, and those of `summaries`, a row for each prior and
        quantity.
    fitted
        The name of the fit's own priors.
    """
    table = estimates.reset_index(drop=True).astype(dict.fromkeys(NUMBERS, float))
    own = table[table["prior"] == fitted].set_index(["quantity", "mediator"])
    # A quantity that other priors bring with them, such as a correlation, has nothing beside it.
    before = own.reindex(list(zip(table["quantity"], table["mediator"], strict=True))).reset_index()
    unit = before["sd"].fillna(_width(before) / NORMAL_WIDTH)
    middle, was = (x["mean"].fillna(x["q50"]) for x in (table, before))
    known = before["q50"].notna()
    table["shift"] = (middle - was) / unit
    table["width_ratio"] = _width(table) / _width(before)
    table["sign_changed"] = known & (np.sign(table["q50"]) != np.sign(before["q50"]))
    table["interval_changed"] = known & (_places(table) != _places(before))
    table["moved"] = table["shift"].abs() > MOVED
    return table[list(COLUMNS)]


def changes(table: pd.DataFrame, fitted: str) -> pd.DataFrame:
    """Return the conclusions that differ; `PriorSensitivity.changes` says what comes of it."""
    import pandas as pd

    on = ["quantity", "mediator"]
    own = table[table["prior"] == fitted]
    told = table[table["quantity"].isin(concluded(table))].reset_index(names="row")
    pairs = told.merge(own, on=on, suffixes=("", "_before")).sort_values("row")
    noise = NOISES * (pairs["mc_error"] ** 2 + pairs["mc_error_before"] ** 2) ** 0.5
    judged = (
        ("sign", "sign_changed", _sign, _by_more(pairs, "q50", MEDIAN_NOISE * noise)),
        ("interval", "interval_changed", _interval, _crossed(pairs, END_NOISE * noise)),
        ("moved", "moved", _mean, (pairs["shift"].abs() - MOVED) * pairs["sd_before"] > noise),
    )
    found = []
    for conclusion, flag, words, clear in judged:
        here = pairs[pairs[flag].astype(bool)]
        told_as = {"before": words(here, "_before"), "after": words(here, "")}
        found.append(here.assign(conclusion=conclusion, clear=clear[here.index], **told_as))
    return pd.concat(found).sort_values("row", kind="stable")[list(CHANGES)].reset_index(drop=True)


def concluded(table: pd.DataFrame) -> list[str]:
    """Return the quantities conclusions are about: the average slope, where slopes vary."""
    there = set(table["quantity"])
    dropped = SLOPE if AVERAGE_SLOPE in there else AVERAGE_SLOPE
    return [name for name in CONCLUSIONS if name in there and name != dropped]


def _by_more(pairs: pd.DataFrame, name: str, noise: pd.Series) -> pd.Series:
    return (pairs[name] - pairs[f"{name}_before"]).abs() > noise


def _crossed(pairs: pd.DataFrame, noise: pd.Series) -> pd.Series:
    """Say whether an end of the interval crossed 0 by more than noise."""
    crossed = [
        ((pairs[end] > 0) != (pairs[f"{end}_before"] > 0)) & _by_more(pairs, end, noise)
        for end in ("q2.5", "q97.5")
    ]
    return crossed[0] | crossed[1]


def _sign(pairs: pd.DataFrame, which: str) -> list[str]:
    words = {1.0: "positive", -1.0: "negative"}
    return [words.get(float(sign), "zero") for sign in np.sign(pairs[f"q50{which}"])]


def _interval(pairs: pd.DataFrame, which: str) -> list[str]:
    ends = zip(pairs[f"q2.5{which}"], pairs[f"q97.5{which}"], strict=True)
    return [f"{number(low)} to {number(high)}, {_placed(low, high)}" for low, high in ends]


def _mean(pairs: pd.DataFrame, which: str) -> list[str]:
    return [number(value) for value in pairs[f"mean{which}"]]


def _width(table: pd.DataFrame) -> pd.Series:
    return table["q97.5"] - table["q2.5"]


def _places(table: pd.DataFrame) -> NDArray[np.str_]:
    ends = zip(table["q2.5"], table["q97.5"], strict=True)
    return np.array([_placed(low, high) for low, high in ends])


def _placed(low: float, high: float) -> str:
    return "above 0" if low > 0 else "below 0" if high < 0 else "includes 0"
