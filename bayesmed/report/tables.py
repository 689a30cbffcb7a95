"""The tables of a report, as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bayesmed.checks import CheckResult
from bayesmed.core.names import (
    AVERAGE,
    AVERAGE_SLOPE,
    CORRELATION,
    CORRELATIONS,
    COVARIATE_EFFECT,
    CWATE,
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    MEDIATOR_EFFECT,
    PERSON_CORRELATION,
    SHARE_MEDIATED,
    SLOPE_OF_SITE,
    SLOPE_SD,
    SUPERPOPULATION,
    TOTAL_EFFECT,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.numbers import number, probability
from bayesmed.core.types import Floats, Integers
from bayesmed.effects.labels import direct, indirect, of_all
from bayesmed.inference import Fit, TrialFit
from bayesmed.inference.entries import Entry, entries
from bayesmed.priors import Prior
from bayesmed.report.content import Table
from bayesmed.report.figures.columns import evenly
from bayesmed.report.findings import Findings
from bayesmed.report.words import all_indirect, average_label, capital, parameter_label

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 60
# Rows of the table by mediator.
BY_MEDIATOR = {
    f"{AVERAGE}_{MEDIATOR_EFFECT}": "Effect of treatment on it, over the sites",
    f"{AVERAGE}_{SLOPE_OF_SITE}": "Slope, over the sites",
    CWATE: "Slope weighted by compliance, over the sites (CWATE, median)",
    f"{SUPERPOPULATION}_{MEDIATOR_EFFECT}": "Effect of treatment on it, in the population (μ_γ)",
    AVERAGE_SLOPE: "Slope, in the population (E δ)",
    f"{SUPERPOPULATION}_{CWATE}": "Slope weighted by compliance, in the population (CWATE, median)",
    SLOPE_SD: "Spread of slopes across sites (σ_δ)",
}
MISSING = "–"


def shown(value: float | None) -> str:
    """Return a number with three digits, or a dash where there is none."""
    return MISSING if value is None or math.isnan(value) else number(value)


def interval(low: float, high: float) -> str:
    """Return the ends of an interval."""
    return MISSING if math.isnan(low) or math.isnan(high) else f"{number(low)} to {number(high)}"


def by_mediator(found: Findings, fit: Fit) -> Table | None:
    """Averages of mediator effects and slopes, a column each; None where slopes do not vary."""
    if fit.model.slope == "constant":
        return None
    rows = []
    for name, label in BY_MEDIATOR.items():
        table = found.effects[found.effects["effect"] == name]
        if name == SLOPE_SD:
            table = found.parameters[found.parameters["name"] == name]
        if len(table):
            rows.append((label, *_with_intervals(table)))
    outcome = fit.data.outcome
    caption = f"What treatment does to mediators, and a unit of them to {outcome}"
    return Table(caption, ("Mean and 95 % interval", *fit.data.mediators), tuple(rows))


def averages(found: Findings, fit: Fit) -> Table:
    """Effects averaged over the sites of the data and in the population they come from."""
    table = found.effects[found.effects["site"] == ""]
    table = table[~table["effect"].isin(BY_MEDIATOR)]
    rows = []
    for row in table.to_dict("records"):
        ratio = math.isnan(row["mean"])
        rows.append(
            (
                average_label(fit, str(row["effect"]), str(row["mediator"])),
                "median" if ratio else "mean",
                shown(row["q50"] if ratio else row["mean"]),
                shown(row["sd"]),
                interval(row["q2.5"], row["q97.5"]),
                probability(row["p_positive"]),
            )
        )
    columns = ("Effect", "Middle", "Value", "sd", "95 % interval", "P(> 0)")
    return Table("Average effects", columns, tuple(rows), texts=(0, 1), slug="effects")


def site_effects(found: Findings, fit: Fit) -> Table:
    """Effects of each site: mean (median for shares) and 95 % interval."""
    model = fit.model
    headings = {
        MEDIATOR_EFFECT: "Effect on",
        SLOPE_OF_SITE: "Slope",
        INDIRECT_EFFECT: capital(indirect(model)),
        of_all(INDIRECT_EFFECT): f"{capital(indirect(model))}, all",
        DIRECT_EFFECT: capital(direct(model)),
        TOTAL_EFFECT: "Total effect",
        SHARE_MEDIATED: "Indirect share (median)",
        of_all(SHARE_MEDIATED): "Indirect share, all (median)",
    }
    rows, note = _some_rows(fit, "`effects(fit).table()` holds all of them.")
    columns, cells = ["Site"], [[fit.data.labels[i] for i in rows]]
    several = fit.data.n_mediators > 1
    if several:  # the share of each would make the table too wide to read
        del headings[SHARE_MEDIATED]
    if all_indirect(fit):
        del headings[of_all(INDIRECT_EFFECT)]
    for name, heading in headings.items():
        table = found.effects[found.effects["effect"] == name]
        for mediator, own in table.groupby("mediator", sort=False):
            named = mediator and (several or name == MEDIATOR_EFFECT)
            columns.append(_of_mediator(name, heading, str(mediator)) if named else heading)
            cells.append(_with_intervals(own.iloc[rows]))
    caption = "Effects by site: mean and 95 % interval"
    rectangle = tuple(zip(*cells, strict=True))
    return Table(caption, tuple(columns), rectangle, note=note, slug="sites")


def _of_mediator(name: str, heading: str, mediator: str) -> str:
    return f"{heading} {mediator}" if name == MEDIATOR_EFFECT else f"{heading}: {mediator}"


def _with_intervals(table: pd.DataFrame) -> list[str]:
    middle = table["mean"].fillna(table["q50"])
    ends = zip(middle, table["q2.5"], table["q97.5"], strict=True)
    return [f"{number(m)} [{number(low)}, {number(high)}]" for m, low, high in ends]


def parameters(found: Findings, fit: Fit | TrialFit) -> Table:
    """Every parameter with its posterior."""
    known = entries(fit.tree["posterior"].to_dataset())
    rows = tuple(
        (
            parameter_label(fit, entry.name, entry.labels),
            entry.key,
            *(shown(row[key]) for key in ("mean", "sd", "q2.5", "q50", "q97.5")),
        )
        for entry, row in zip(known, found.parameters.to_dict("records"), strict=True)
    )
    columns = ("Parameter", "In files", "Mean", "sd", "2.5 %", "Median", "97.5 %")
    caption = "Posterior of the parameters, in data units"
    return Table(caption, columns, rows, texts=(0, 1), slug="parameters")


def priors(fit: Fit | TrialFit) -> Table:
    """Every prior in data units; correlations have one of no choice."""
    known: dict[str, Prior] = cast("Any", fit.model).priors_for(fit.data)
    rows = []
    for entry in entries(fit.tree["posterior"].to_dataset()):
        label = parameter_label(fit, entry.name, entry.labels)
        if entry.key in known:
            rows.append((label, str(known[entry.key]), _origin(fit, entry)))
        elif entry.name in (*CORRELATIONS, PERSON_CORRELATION):
            rows.append((label, "uniform over correlation matrices", "fixed"))
    columns = ("Parameter", "Prior", "Origin")
    return Table("Priors, in data units", columns, tuple(rows), (0, 1, 2), slug="priors")


def _origin(fit: Fit | TrialFit, entry: Entry) -> str:
    set_here = {entry.name, f"{entry.name}[{', '.join(entry.labels.values())}]"}
    chosen = entry.name in (CORRELATION, WITHIN_SITE_COVARIANCE) or set_here & set(fit.model.priors)
    return "set by the user" if chosen else "default, scaled to the data"


def covariates(found: Findings, fit: Fit) -> Table | None:
    """Effects of the covariates on direct effects; None where the model has none."""
    if not fit.model.covariates:
        return None
    table = found.parameters[found.parameters["name"] == COVARIATE_EFFECT]
    rows = tuple(
        (
            str(row["covariate"]),
            number(float(fit.data.covariates[row["covariate"]].mean())),
            shown(row["mean"]),
            shown(row["sd"]),
            interval(row["q2.5"], row["q97.5"]),
        )
        for row in table.to_dict("records")
    )
    columns = ("Covariate", "Mean over the rows", "Effect per unit", "sd", "95 % interval")
    caption = f"How {direct(fit.model)}s differ with the covariates of a site"
    return Table(caption, columns, rows)


def chain_quality(found: Findings, fit: Fit | TrialFit) -> Table:
    """Effective sizes and R-hat of every parameter."""
    known = entries(fit.tree["posterior"].to_dataset())
    rows = tuple(
        (
            parameter_label(fit, entry.name, entry.labels),
            *(shown_count(row[key]) for key in ("ess_bulk", "ess_tail")),
            MISSING if math.isnan(row["r_hat"]) else f"{row['r_hat']:.4f}",
        )
        for entry, row in zip(known, found.parameters.to_dict("records"), strict=True)
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
    columns: list[tuple[str, Any]] = []
    for i, mediator in enumerate(table.mediators):
        columns.append((f"Effect on {mediator}", table.mediator_effect[:, i]))
        columns.append(("SE", table.mediator_se[:, i]))
    columns.append((f"Total effect on {table.outcome}", table.total_effect))
    columns.append(("SE", table.total_effect_se))
    for i, mediator in enumerate(table.mediators):
        of = f": {mediator}" if table.n_mediators > 1 else ""
        columns.append((f"Error correlation{of}", error_correlation(fit, i)))
    columns.append(("Weight", table.weight))
    if table.n is not None:
        columns.append(("n", table.n))
    columns += [(name, table.covariates[name]) for name in fit.model.covariates]
    if table.n_blocks < table.n_rows:
        columns.append(("Block", table.block + 1.0))
    cells = [[shown(float(v)) for v in values[rows]] for _, values in columns]
    names = [table.labels[i] for i in rows]
    headings = ("Site", *(name for name, _ in columns))
    return Table("Estimates as used", headings, tuple(zip(names, *cells, strict=True)), note=note)


def error_correlation(fit: Fit, mediator: int = 0) -> Floats:
    """Correlation of the errors of each row's estimates, 0 where an error is 0, shape (R,)."""
    scale = fit.data.mediator_se[:, mediator] * fit.data.total_effect_se
    cross = fit.data.cov[:, mediator, -1]
    return np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 0)


def _some_rows(fit: Fit, rest: str) -> tuple[Integers, str]:
    n = fit.data.n_rows
    if n <= MOST_ROWS:
        return np.arange(n), ""
    return evenly(n, MOST_ROWS), f"{MOST_ROWS} of {n:,} sites, evenly spread. {rest}".strip()
