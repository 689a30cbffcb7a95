"""What becomes of conclusions as assumptions give way, as a report."""

from __future__ import annotations

from bayesmed.cards import Framing
from bayesmed.core.names import (
    ACME,
    AVERAGE_SLOPE,
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    NDE,
    NIE,
    SLOPE,
)
from bayesmed.core.numbers import number, probability
from bayesmed.core.words import joined
from bayesmed.effects.labels import of_all
from bayesmed.effects.trials.random_coefficients import AVERAGE_TREATMENT_EFFECT, LATE
from bayesmed.inference import is_trial
from bayesmed.inference.convergence import diagnose
from bayesmed.report import words
from bayesmed.report.answer import Answer
from bayesmed.report.assumption_pictures import beside_the_fit, over_assumptions
from bayesmed.report.assumption_words import Key, about, labels, reasons, sentence
from bayesmed.report.content import Block, Content, Paragraph, Section, Table, slugs
from bayesmed.report.figures.columns import evenly
from bayesmed.report.origin import made
from bayesmed.report.rows import Row
from bayesmed.report.tables import MISSING, interval, shown
from bayesmed.report.trials import words as trial_words
from bayesmed.studies.sensitivity import AssumptionSensitivity
from bayesmed.studies.sensitivity.assumption_grid import HELD
from bayesmed.studies.sensitivity.prior_sets import FITTED
from bayesmed.studies.sensitivity.tipping import INTERVAL

__all__ = ["assumption_content"]

MOST_ROWS, MOST_SHOWN = 120, 9
PICTURED = (
    SLOPE,
    AVERAGE_SLOPE,
    ACME,
    of_all(ACME),
    INDIRECT_EFFECT,
    DIRECT_EFFECT,
    NIE,
    NDE,
    AVERAGE_TREATMENT_EFFECT,
    LATE,
)
GIVEN = (
    "All of this is given the data and the rest of the model. Between values that were tried, "
    "medians and ends of intervals are taken to lie on straight lines."
)


def assumption_content(found: AssumptionSensitivity, framing: Framing | None = None) -> Content:
    """Compose the report of a study of assumptions.

    Parameters
    ----------
    found
        What `assumption_sensitivity` returned.
    framing
        Title of the analysis; words made from the data without it.
    """
    framing, fit = framing or Framing(), found.fit
    own = trial_words.title(fit) if is_trial(fit) else words.title(fit.data)
    pictured = _pictured(found)
    held = (
        (
            Section("tipping", "Where conclusions change", _tipping(found)),
            Section("held", "Estimates over the assumption", over_assumptions(found, pictured)),
        )
        if found.axes
        else ()
    )
    versions = (
        (Section("versions", "Other priors", _versions(found, pictured)),) if found.versions else ()
    )
    values = Section(
        "values", "Estimates at each value", (_values(found), Paragraph(_computed(found)))
    )
    return Content(
        title=f"{framing.title.strip() or own}: sensitivity to assumptions",
        question="How far may an assumption fail before a conclusion does?",
        answer=_answer(found, pictured),
        sections=(*held, *versions, values),
        made=made(fit),
    )


def _pictured(found: AssumptionSensitivity) -> dict[Key, str]:
    """Return the quantities that are drawn: those that assumptions are about."""
    named = labels(found)
    return {key: named[key] for name in PICTURED for key in named if key[0] == name}


def _answer(found: AssumptionSensitivity, pictured: dict[Key, str]) -> Answer:
    first_key, label = next(iter(pictured.items()))
    if len(found.axes) == 1:
        own = about(found.held(), first_key)
        axis = found.axes[0]
        kept = own.iloc[evenly(len(own), MOST_SHOWN)]
        rows = tuple(
            _row(f"{axis.symbol} = {number(r[axis.name])}", r) for r in kept.to_dict("records")
        )
        heading = label
    else:
        fitted = found.table().query("version == @FITTED")
        rows = tuple(_row(text, about(fitted, key).iloc[0]) for key, text in pictured.items())
        heading = "As fitted"
    columns = (heading, "Median", "95 % interval")
    return Answer(_first(found), sentence(found, pictured), rows, (), columns)


def _row(label: str, row: object) -> Row:
    got: dict[str, float] = dict(row)  # type: ignore[call-overload]
    # The heading says that it is the median.
    return Row(label, float(got["q50"]), float(got["q2.5"]), float(got["q97.5"]))


def _first(found: AssumptionSensitivity) -> tuple[str, ...]:
    """Say what has to be said before the answer."""
    said = []
    if not all(d.passed for d in diagnose(found.fit.tree)):
        said.append("The fit itself did not converge: do not use what is compared with it.")
    table = found.table()
    bad = table[~table["converged"].astype(bool) & (table["version"] != FITTED)]
    names = list(dict.fromkeys(_name(found, row) for row in bad.to_dict("records")))
    if names:
        said.append(f"Not converged, and not to be relied on: {joined(_some(names))}.")
    failures = [f"{one['refit']} ({one['error']})" for one in found.failures().to_dict("records")]
    if failures:
        said.append(f"The fit failed at {joined(_some(failures))}.")
    return tuple(said)


def _name(found: AssumptionSensitivity, row: object) -> str:
    """Return what a refit is called: values of the assumptions, or the name of its priors."""
    got: dict[str, object] = dict(row)  # type: ignore[call-overload]
    if got["version"] != HELD:
        return str(got["version"])
    return ", ".join(f"{axis.symbol} = {shown(got[axis.name])}" for axis in found.axes)  # type: ignore[arg-type]


def _tipping(found: AssumptionSensitivity) -> tuple[Block, ...]:
    told, rows = labels(found), []
    symbol = {axis.name: axis.symbol for axis in found.axes}
    for row in found.tipping().to_dict("records"):
        kind = "95 % interval" if row["conclusion"] == INTERVAL else "sign of the median"
        doubt = MISSING if row["clear"] else "within Monte Carlo error"
        rows.append(
            (
                told[row["quantity"], row["entry"]],
                kind,
                f"{row['at_reference']} at {symbol[row['axis']]} = {number(row['reference'])}",
                shown(row["below"]),
                shown(row["above"]),
                doubt,
            )
        )
    columns = (
        "Conclusion about",
        "What",
        "Here",
        "Changes below",
        "Changes above",
        "In doubt",
    )
    table = Table(
        "Nearest values at which a conclusion changes; a dash where none does",
        columns,
        tuple(rows),
        texts=(0, 1, 2, 5),
        slug="tipping",
    )
    return (*map(Paragraph, reasons(found.axes)), table, Paragraph(GIVEN))


def _versions(found: AssumptionSensitivity, pictured: dict[Key, str]) -> tuple[Block, ...]:
    """Show the fit under other priors beside the fit itself."""
    table = found.table()
    listed = tuple(
        (name, parameter, str(prior))
        for name, own in found.versions.items()
        for parameter, prior in own.items()
    )
    blocks: list[Block] = [
        Table(
            "Priors in place of the fit's",
            ("Name", "Parameter", "Prior"),
            listed,
            texts=(0, 1, 2),
            slug="versions",
        )
    ]
    named = slugs("versions", (name for name, _ in pictured))
    for (key, label), slug in zip(pictured.items(), named, strict=True):
        own = about(table[table["version"] != HELD], key)
        blocks.append(beside_the_fit(own, label, slug))
    return tuple(blocks)


def _values(found: AssumptionSensitivity) -> Table:
    told, table = labels(found), found.table()
    names = [axis.name for axis in found.axes]
    own = table[table["quantity"].isin({name for name, _ in told})]
    own = own.sort_values([*names], kind="stable") if names else own
    rows = tuple(
        (
            *(shown(r[name]) for name in names),
            r["version"],
            told[r["quantity"], r["entry"]],
            shown(r["q50"]),
            interval(r["q2.5"], r["q97.5"]),
            probability(r["p_positive"]),
        )
        for r in own.head(MOST_ROWS).to_dict("records")
    )
    k = len(names)
    symbols = tuple(axis.symbol for axis in found.axes)
    columns = (*symbols, "Priors", "Quantity", "Median", "95 % interval", "P(> 0)")
    note = "" if len(own) <= MOST_ROWS else f"{MOST_ROWS} of {len(own):,} rows."
    return Table("Estimates", columns, rows, texts=(k, k + 1), note=note, slug="values")


def _computed(found: AssumptionSensitivity) -> str:
    table = found.table()
    refits = table[table["version"] != FITTED]
    names = [axis.name for axis in found.axes]
    count = len(refits[["version", *names]].drop_duplicates())
    return (
        f"Fitted again: {count:,} times. The same data, model, settings and seed give the same "
        "numbers."
    )


def _some(names: list[str], most: int = 5) -> list[str]:
    return names if len(names) <= most else [*names[:most], f"{len(names) - most:,} more"]
