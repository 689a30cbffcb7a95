"""The tables of a report, as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.checks import CheckResult
from bayesmed.core.names import (
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    MEDIATOR_EFFECT,
    SHARE_MEDIATED,
    TOTAL_EFFECT,
)
from bayesmed.core.types import Integers
from bayesmed.inference import Fit
from bayesmed.report.answer import number
from bayesmed.report.content import Table
from bayesmed.report.figures.columns import evenly
from bayesmed.report.findings import Findings
from bayesmed.report.words import effect_label, parameter_label

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 60
MISSING = "–"


def shown(value: float | None) -> str:
    """Return a number with three digits, or a dash where there is none."""
    return MISSING if value is None or math.isnan(value) else number(value)


def interval(low: float, high: float) -> str:
    """Return the ends of an interval."""
    return MISSING if math.isnan(low) or math.isnan(high) else f"{number(low)} to {number(high)}"


def averages(found: Findings) -> Table:
    """Effects averaged over the sites of the data and in the population they come from."""
    table = found.effects[found.effects["site"] == ""]
    rows = []
    for row in table.to_dict("records"):
        ratio = math.isnan(row["mean"])
        rows.append(
            (
                effect_label(str(row["effect"]), found.fit.data),
                "median" if ratio else "mean",
                shown(row["q50"] if ratio else row["mean"]),
                shown(row["sd"]),
                interval(row["q2.5"], row["q97.5"]),
                _probability(row["p_positive"]),
            )
        )
    columns = ("Effect", "Middle", "Value", "sd", "95 % interval", "P(> 0)")
    return Table("Average effects", columns, tuple(rows), texts=(0, 1))


def _probability(value: float) -> str:
    if math.isnan(value):
        return MISSING
    # Draws cannot tell a probability of 1 from one very near it.
    return "> 0.999" if value > 0.999 else "< 0.001" if value < 0.001 else f"{value:.3f}"


def site_effects(found: Findings) -> Table:
    """Effects of each site: mean (median for shares) and 95 % interval."""
    headings = {
        MEDIATOR_EFFECT: f"Effect on {found.fit.data.mediators[0]}",
        INDIRECT_EFFECT: "Indirect effect",
        DIRECT_EFFECT: "Direct effect",
        TOTAL_EFFECT: "Total effect",
        SHARE_MEDIATED: "Indirect share (median)",
    }
    rows, note = _some_rows(found.fit, "`effects(fit).table()` holds all of them.")
    columns, cells = ["Site"], [[found.fit.data.labels[i] for i in rows]]
    for name, heading in headings.items():
        table = found.effects[found.effects["effect"] == name]
        if not table.empty:
            columns.append(heading)
            cells.append(_with_intervals(table.iloc[rows]))
    caption = "Effects by site: mean and 95 % interval"
    return Table(caption, tuple(columns), tuple(zip(*cells, strict=True)), note=note)


def _with_intervals(table: pd.DataFrame) -> list[str]:
    middle = table["mean"].fillna(table["q50"])
    ends = zip(middle, table["q2.5"], table["q97.5"], strict=True)
    return [f"{number(m)} [{number(low)}, {number(high)}]" for m, low, high in ends]


def parameters(found: Findings) -> Table:
    """Every parameter with its posterior."""
    rows = tuple(
        (
            parameter_label(row["name"], found.fit.data),
            row["name"],
            *(shown(row[key]) for key in ("mean", "sd", "q2.5", "q50", "q97.5")),
        )
        for row in found.parameters.to_dict("records")
    )
    columns = ("Parameter", "In files", "Mean", "sd", "2.5 %", "Median", "97.5 %")
    return Table("Posterior of the parameters, in data units", columns, rows, texts=(0, 1))


def priors(fit: Fit) -> Table:
    """Every prior in data units."""
    rows = tuple(
        (
            parameter_label(name, fit.data),
            str(prior),
            "set by the user" if name in fit.model.priors else "default, scaled to the data",
        )
        for name, prior in fit.model.priors_for(fit.data).items()
    )
    return Table("Priors, in data units", ("Parameter", "Prior", "Origin"), rows, texts=(0, 1, 2))


def chain_quality(found: Findings) -> Table:
    """Effective sizes and R-hat of every parameter."""
    rows = tuple(
        (
            parameter_label(row["name"], found.fit.data),
            *(shown_count(row[key]) for key in ("ess_bulk", "ess_tail")),
            MISSING if math.isnan(row["r_hat"]) else f"{row['r_hat']:.4f}",
        )
        for row in found.parameters.to_dict("records")
    )
    columns = ("Parameter", "Bulk ESS", "Tail ESS", "R-hat")
    return Table("Effective sample sizes (ESS) and agreement of chains", columns, rows)


def shown_count(value: float) -> str:
    """Return a whole number, or a dash where there is none."""
    return f"{value:.0f}" if math.isfinite(value) else MISSING


def checks(results: tuple[CheckResult, ...], caption: str) -> Table:
    """Results of checks, in words."""
    rows = tuple((r.title, r.status, r.reason) for r in results)
    return Table(caption, ("Check", "Status", "Because"), rows, texts=(0, 1, 2))


def data(fit: Fit) -> Table:
    """List the estimates as they were used."""
    table = fit.data
    rows, note = _some_rows(fit, "")
    numbers = {
        f"Effect on {table.mediators[0]}": table.mediator_effect[:, 0],
        "SE ": table.mediator_se[:, 0],
        f"Total effect on {table.outcome}": table.total_effect,
        "SE": table.total_effect_se,
        "Error correlation": error_correlation(fit),
        "Weight": table.weight,
    }
    if table.n is not None:
        numbers["n"] = table.n
    cells = [[shown(float(v)) for v in values[rows]] for values in numbers.values()]
    names = [table.labels[i] for i in rows]
    columns = ("Site", *(name.strip() for name in numbers))
    return Table("Estimates as used", columns, tuple(zip(names, *cells, strict=True)), note=note)


def error_correlation(fit: Fit) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Correlation of the errors of each site's two estimates, 0 where an error is 0, shape (S,)."""
    scale = fit.data.mediator_se[:, 0] * fit.data.total_effect_se
    cross = fit.data.cov[:, 0, -1]
    return np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 0)


def _some_rows(fit: Fit, rest: str) -> tuple[Integers, str]:
    n = fit.data.n_rows
    if n <= MOST_ROWS:
        return np.arange(n), ""
    return evenly(n, MOST_ROWS), f"{MOST_ROWS} of {n:,} sites, evenly spread. {rest}".strip()
