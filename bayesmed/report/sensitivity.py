"""Which conclusion changes under which prior, as sections of a report."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bayesmed.cards import Framing
from bayesmed.core.names import ACME, AVERAGE_SLOPE, MEDIATOR, SLOPE
from bayesmed.core.numbers import number
from bayesmed.core.words import joined
from bayesmed.effects.labels import of_all
from bayesmed.inference import Fit
from bayesmed.inference.convergence import diagnose
from bayesmed.report import words
from bayesmed.report.answer import Answer
from bayesmed.report.content import (
    Block,
    Content,
    Paragraph,
    Picture,
    Section,
    Table,
    slugs,
)
from bayesmed.report.figures import sensitivity as figures
from bayesmed.report.moves import SCALED
from bayesmed.report.rows import Row
from bayesmed.report.tables import MISSING, interval, shown
from bayesmed.studies.sensitivity.conclusions import MOVED, concluded
from bayesmed.studies.sensitivity.prior_sensitivity import PriorSensitivity
from bayesmed.studies.sensitivity.prior_sets import FITTED
from bayesmed.studies.sensitivity.quantities import CONCLUSIONS

if TYPE_CHECKING:
    import pandas as pd

type Key = tuple[str, str]

MOST_ROWS = 60
PICTURED = (SLOPE, AVERAGE_SLOPE, ACME, of_all(ACME))
KINDS = {
    "sign": "sign",
    "interval": "whether 0 lies in the 95 % interval",
    "moved": f"more than {MOVED:g} posterior sd away",
}
GIVEN = (
    "All of this is given the data and the rest of the model: that no prior changes a conclusion "
    "does not say that the model is right."
)


def sensitivity_content(found: PriorSensitivity, framing: Framing | None = None) -> Content:
    """Compose the report of a prior sensitivity study.

    Parameters
    ----------
    found
        What `prior_sensitivity` returned.
    framing
        Title and question; words made from the data without it.
    """
    framing = framing or Framing()
    title = framing.title.strip() or words.title(found.fit.data)
    attrs = found.fit.tree.attrs
    version, created = attrs.get("version_bayesmed", "?"), attrs.get("created_at", "?")
    return Content(
        title=f"{title}: sensitivity to priors",
        question="Which conclusion changes under which prior?",
        answer=sensitivity_answer(found),
        sections=sensitivity_sections(found),
        made=f"Computed by bayesmed {version}, fit of {created}, seed {found.fit.seed}.",
    )


def sensitivity_sections(found: PriorSensitivity) -> tuple[Section, ...]:
    """Return the sections: what changes, estimates, power-scaling, the priors themselves."""
    return (
        Section("changes", "What changes", _changes(found)),
        Section("refits", "Estimates under each prior", _estimates(found)),
        Section("scaling", "If priors counted a little more or less", _scaling(found)),
        Section("tried", "The priors", (_priors(found), Paragraph(_computed(found)))),
    )


def sensitivity_answer(found: PriorSensitivity) -> Answer:
    """Put the result of a study in words."""
    table, changes = found.table(), found.changes()
    rows = []
    for key, label in _labels(found, PICTURED).items():
        own = _about(table, key).iloc[0]
        rows.append(Row(label, float(own["mean"]), float(own["q2.5"]), float(own["q97.5"])))
    return Answer(
        first=_first(found), sentence=_sentence(found, changes), rows=tuple(rows), notes=()
    )


def _first(found: PriorSensitivity) -> tuple[str, ...]:
    """Say what has to be said before the answer."""
    said = []
    if not all(d.passed for d in diagnose(found.fit.tree)):
        said.append("The fit itself did not converge: do not use what is compared with it.")
    table = found.table()
    bad = table.loc[~table["converged"].astype(bool) & (table["prior"] != FITTED), "prior"].unique()
    if len(bad):
        said.append(f"Not converged, and not to be relied on: {joined(_some(list(bad)))}.")
    failures = found.failures()
    if len(failures):
        named = [f"{one['prior']} ({one['error']})" for one in failures.to_dict("records")]
        said.append(f"The fit failed under {joined(_some(named))}.")
    return tuple(said)


def _sentence(found: PriorSensitivity, changes: pd.DataFrame) -> str:
    tried = found.table()["prior"].nunique() - 1
    if not tried:
        return "No other priors were tried; power-scaling is below."
    if changes.empty:
        return (
            f"No conclusion changes under any of the {tried:,} other priors: signs stay, 95 % "
            "intervals go on including or excluding 0, and no estimate moves by more than "
            f"{MOVED:g} of its posterior sd."
        )
    parts = []
    for key, label in _labels(found).items():
        own = changes[(changes["quantity"] == key[0]) & (changes["mediator"] == key[1])]
        kinds = [
            f"{KINDS[kind]} ({own.loc[own['conclusion'] == kind, 'prior'].nunique():,})"
            for kind in KINDS
            if (own["conclusion"] == kind).any()
        ]
        if kinds:
            parts.append(f"{label}: {joined(kinds)}")
    return (
        f"Some conclusion changes under {changes['prior'].nunique():,} of {tried:,} other priors. "
        f"What changes, and under how many: {'; '.join(parts)}."
    )


def _changes(found: PriorSensitivity) -> tuple[Block, ...]:
    changes, labels = found.changes(), _labels(found)
    rows = []
    for row in changes.head(MOST_ROWS).to_dict("records"):
        doubt = "" if row["clear"] else "within Monte Carlo error"
        doubt = doubt if row["converged"] else "not converged"
        label = labels[row["quantity"], row["mediator"]]
        kind = KINDS[row["conclusion"]]
        rows.append((row["prior"], label, kind, row["before"], row["after"], doubt or MISSING))
    columns = ("Prior", "Conclusion about", "What changes", "As fitted", "Then", "In doubt")
    note = _cut(len(changes), "changes.csv") if rows else "No conclusion changes."
    table = Table(
        "Conclusions that change",
        columns,
        tuple(rows) or ((MISSING,) * len(columns),),
        texts=(0, 1, 2, 3, 4, 5),
        note=note,
        slug="changes",
    )
    said = Paragraph(f"Conclusions are about {joined(sorted(labels.values()))}. {GIVEN}")
    return (table, said)


def _estimates(found: PriorSensitivity) -> tuple[Block, ...]:
    table = found.table()
    blocks: list[Block] = []
    pictured = _labels(found, PICTURED)
    named = slugs("priors", (name for name, _ in pictured))
    for (key, label), slug in zip(pictured.items(), named, strict=True):
        own = _about(table, key)
        blocks += [_picture(own, label, slug), _table(own, label, slug)]
    return tuple(blocks)


def _picture(own: pd.DataFrame, label: str, slug: str) -> Picture:
    drawn = figures.shown_priors(own)
    caption = (
        "Medians and 95 % intervals; on top, and as a band, those of the fit. Orange: some "
        "conclusion changes. Open circles did not converge; an arrow means that it goes on."
    )
    if len(drawn) < len(own):
        caption += f" {len(drawn)} of {len(own):,} priors, evenly chosen by how far they move it."
    middle = own["q50"]
    alternative = (
        f"{label}: medians from {number(middle.min())} to {number(middle.max())} under "
        f"{len(own):,} priors, {number(middle.iloc[0])} as fitted."
    )
    return Picture(slug, caption, alternative, partial(figures.estimates, own, label))


def _table(own: pd.DataFrame, label: str, slug: str) -> Table:
    drawn = figures.shown_priors(own, MOST_ROWS)
    rows = tuple(
        (
            str(row["prior"]),
            shown(row["mean"]),
            shown(row["sd"]),
            interval(row["q2.5"], row["q97.5"]),
            f"{row['p_positive']:.3f}",
            f"{row['shift']:+.2f}",
            f"{row['width_ratio']:.2f}",
        )
        for row in drawn.to_dict("records")
    )
    columns = ("Prior", "Mean", "sd", "95 % interval", "P(> 0)", "Shift in sds", "Width, ratio")
    note = "" if len(drawn) == len(own) else f"{len(drawn)} of {len(own):,} priors."
    return Table(f"{label}, under each prior", columns, rows, note=note, slug=slug)


def _scaling(found: PriorSensitivity) -> tuple[Block, ...]:
    labels = _labels(found)
    table = found.scaling
    components = list(dict.fromkeys(table["component"]))
    values = table.set_index(["quantity", "entry", "component"])
    rows = []
    for key, label in labels.items():
        own = [float(values.loc[(*key, c), "sensitivity"]) for c in components]
        diagnosis = str(values.loc[(*key, components[0]), "diagnosis"])
        rows.append((label, *(shown(round(v, 3)) for v in own), diagnosis or "none"))
    columns = ("Quantity", *components)
    told = Table(
        "Sensitivity to power-scaling",
        (*columns, "Diagnosis"),
        tuple(rows),
        texts=(0, len(columns)),
        slug="scaling",
    )
    said = Paragraph(SCALED)
    pictured = {key: label for key, label in labels.items() if key[0] in PICTURED}
    largest = "; ".join(
        f"{label} {number(values.loc[(*key, components[1]), 'sensitivity'])}"
        for key, label in pictured.items()
    )
    picture = Picture(
        "scaling",
        "Grey: likelihood. Blue and orange: priors, orange where it counts.",
        f"Sensitivity to all priors together: {largest}.",
        partial(figures.scaling, table, pictured),
    )
    return (said, picture, told)


def _priors(found: PriorSensitivity) -> Table:
    listed = found.priors()
    rows = tuple(
        (
            str(r["prior"]),
            words.parameter_label(found.fit, *_entry(found.fit, r["parameter"])),
            str(r["distribution"]),
        )
        for r in listed.head(4 * MOST_ROWS).to_dict("records")
    )
    note = (
        "" if len(rows) == len(listed) else f"{len(rows)} of {len(listed):,}; priors.csv has all."
    )
    columns = ("Name", "Parameter", "Prior")
    return Table(
        "Priors tried, in data units; parameters left out keep the fit's",
        columns,
        rows,
        texts=(0, 1, 2),
        note=note,
        slug="tried",
    )


def _entry(fit: Fit, name: str) -> tuple[str, dict[str, str]]:
    """Take an entry apart: the parameter, and what it belongs to."""
    base, _, label = name.partition("[")
    label = label.removesuffix("]")
    if not label:
        return base, {}
    return base, {MEDIATOR if label in fit.data.mediators else "covariate": label}


def _computed(found: PriorSensitivity) -> str:
    table = found.table()
    engines = table[table["prior"] != FITTED].groupby("engine")["prior"].nunique()
    counts = [f"{count:,} by {engine}" for engine, count in engines.items()] or ["none"]
    return (
        f"Fitted again: {joined(counts)}. The same data, model, settings and seed give the same "
        "numbers."
    )


def _labels(found: PriorSensitivity, names: tuple[str, ...] = CONCLUSIONS) -> dict[Key, str]:
    """Return the quantities conclusions are about, in words."""
    table = found.table()
    own = table[table["prior"] == FITTED]
    told = {name for name in concluded(own) if name in names}
    keys = zip(own["quantity"], own["mediator"], strict=True)
    return {key: _label(found.fit, *key) for key in keys if key[0] in told}


def _label(fit: Fit, name: str, mediator: str) -> str:
    if name in (SLOPE, AVERAGE_SLOPE):
        return words.slope_label(fit, mediator)
    return words.average_label(fit, name, mediator)


def _about(table: pd.DataFrame, key: Key) -> pd.DataFrame:
    return table[(table["quantity"] == key[0]) & (table["mediator"] == key[1])]


def _some(names: list[str], most: int = 5) -> list[str]:
    return names if len(names) <= most else [*names[:most], f"{len(names) - most:,} more"]


def _cut(count: int, file: str) -> str:
    return "" if count <= MOST_ROWS else f"{MOST_ROWS} of {count:,}; {file} has all."
