"""The tables of a report of one trial, as text."""

from __future__ import annotations

import math

from bayesmed.core.numbers import number, probability
from bayesmed.data import TrialNames
from bayesmed.effects import Effects, TrialComparison
from bayesmed.inference import TrialFit
from bayesmed.inference.entries import entries
from bayesmed.report.comparison import ends
from bayesmed.report.content import Table
from bayesmed.report.findings import Findings
from bayesmed.report.tables import MISSING, interval, shown
from bayesmed.report.trials.names import (
    entry_label,
    statistic_label,
    statistics,
)
from bayesmed.report.words import capital

__all__ = [
    "data_table",
    "effects_table",
    "trial_estimates",
    "trial_instruments",
]


def effects_table(found: Findings, own: Effects, names: TrialNames) -> Table:
    """Every estimand, with ratios by their median."""
    of = [entry_label(names, e.labels) for e in entries(own.draws)]
    rows = []
    for row, entry in zip(found.effects.to_dict("records"), of, strict=True):
        ratio = math.isnan(row["mean"])
        rows.append(
            (
                capital(found.labels.get(str(row["effect"]), str(row["effect"]))),
                entry,
                "median" if ratio else "mean",
                shown(row["q50"] if ratio else row["mean"]),
                shown(row["sd"]),
                interval(row["q2.5"], row["q97.5"]),
                probability(row["p_positive"]),
            )
        )
    columns = ("Effect", "Of", "Middle", "Value", "sd", "95 % interval", "P(> 0)")
    return Table("Effects", columns, tuple(rows), texts=(0, 1, 2), slug="effects")


def data_table(fit: TrialFit) -> Table:
    """Statistics of the data, as predictions are compared with them."""
    rows = tuple(
        (statistic_label(fit, name, labels), shown(value))
        for name, labels, value in statistics(fit)
    )
    return Table("The data in numbers", ("Statistic", "Value"), rows)


def trial_estimates(found: TrialComparison) -> Table:
    """Every estimate of one trial with its 95 % interval by effect, the posterior first."""
    rows, remarks = [], list(found.notes)
    order = list(dict.fromkeys(row.effect for row in found.rows))
    for row in sorted(found.rows, key=lambda row: (order.index(row.effect), row.entry)):
        what = capital(found.labels.get(row.effect, row.effect))
        of = f"{what}, arm {row.entry}" if row.entry else what
        if math.isnan(row.estimate):
            rows.append((row.estimator, of, "not defined", MISSING, MISSING))
        else:
            cells = shown(row.estimate), shown(row.se), ends(row.low, row.high)
            rows.append((row.estimator, of, *cells))
        remark = f"{row.estimator}: {row.reason}."
        if row.reason and remark not in remarks:
            remarks.append(remark)
    columns = ("Estimator", "Effect", "Estimate", "sd or SE", "95 % interval")
    caption = "Effects by every estimator"
    note = " ".join(remarks)
    return Table(caption, columns, tuple(rows), texts=(0, 1), note=note, slug="estimators")


def trial_instruments(found: TrialComparison) -> Table:
    """List what is known of the instruments."""
    rows = tuple((what, number(value)) for what, value in found.instruments)
    return Table("Strength of the instruments", ("Quantity", "Value"), rows)
