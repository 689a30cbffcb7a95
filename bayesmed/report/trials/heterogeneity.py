"""How natural effects move with how far effects vary between types, as a report."""

from __future__ import annotations

import math
from functools import partial

from bayesmed.cards import Framing
from bayesmed.core.names import NIE
from bayesmed.core.numbers import number
from bayesmed.report.answer import Answer
from bayesmed.report.content import Content, Paragraph, Picture, Section, Table
from bayesmed.report.figures.heterogeneity import heterogeneity_curves
from bayesmed.report.origin import made
from bayesmed.report.rows import Row
from bayesmed.report.tables import interval, probability, shown
from bayesmed.report.trials import words
from bayesmed.studies.sensitivity import HeterogeneityStudy

__all__ = ["heterogeneity_content"]

WHY = (
    "What the mediator does to persons of some types meets no data, so natural effects are "
    "identified in part only. σ_het says how far these effects may lie from the others: at 0 the "
    "natural effects are those that instrumental variables have."
)


def heterogeneity_content(found: HeterogeneityStudy, framing: Framing | None = None) -> Content:
    """Compose the report of a study over σ_het.

    Parameters
    ----------
    found
        What `heterogeneity_study` returned.
    framing
        Title of the analysis; words made from the data without it.
    """
    framing = framing or Framing()
    title = framing.title.strip() or words.title(found.fit)
    sections = (
        Section("curves", "Effects over σ_het", (Paragraph(WHY), _picture(found))),
        Section("values", "Effects at each value", (_table(found),)),
    )
    return Content(
        title=f"{title}: effects that vary between types",
        question="How do natural effects move with how far effects vary between types of persons?",
        answer=_answer(found),
        sections=sections,
        made=made(found.fit),
    )


def _answer(found: HeterogeneityStudy) -> Answer:
    names = found.fit.data.names
    assert names.arms is not None
    treated = names.arms[1]
    table = found.table()
    own = table[(table["effect"] == NIE) & (table["entry"] == treated)]
    rows = tuple(
        Row(f"σ_het = {number(r['heterogeneity'])}", r["q50"], r["q2.5"], r["q97.5"], True)
        for r in own.to_dict("records")
    )
    tipped = found.tipping()
    at = tipped[(tipped["effect"] == NIE) & (tipped["entry"] == treated)].iloc[0]
    first = own.iloc[0]
    begin = (
        f"Where effects do not vary (σ_het = {number(first['heterogeneity'])}), the natural "
        f"indirect effect through {names.mediator} in arm {treated} is {number(first['q50'])} "
        f"[{number(first['q2.5'])}, {number(first['q97.5'])}]"
    )
    if not at["excludes_zero"]:
        end = "; the interval includes 0 there already."
    elif math.isnan(at["includes_from"]):
        end = ", and its interval excludes 0 at every value tried."
    else:
        end = f"; from σ_het = {number(at['includes_from'])} on its interval includes 0."
    bad = sorted(set(table.loc[~table["converged"].astype(bool), "heterogeneity"]))
    said = f"Not converged at σ_het = {', '.join(number(v) for v in bad)}."
    failed = [f"{r['task']}: {r['error']}" for r in found.failed.to_dict("records")]
    columns = ("Natural indirect effect at", "Median", "95 % interval")
    return Answer((*([said] if bad else []), *failed), begin + end, rows, (), columns)


def _picture(found: HeterogeneityStudy) -> Picture:
    return Picture(
        "curves",
        "Median, 50 % and 95 % bands of natural effects with σ_het fixed at each value. Dashed: "
        "what instrumental variables have in their place.",
        "Natural indirect and direct effects over σ_het; bands widen as effects may vary more.",
        partial(heterogeneity_curves, found),
    )


def _table(found: HeterogeneityStudy) -> Table:
    rows = tuple(
        (
            number(r["heterogeneity"]),
            str(r["effect"]),
            str(r["entry"]),
            shown(r["q50"]),
            interval(r["q2.5"], r["q97.5"]),
            probability(r["p_positive"]),
        )
        for r in found.table().to_dict("records")
    )
    columns = ("σ_het", "Effect", "Of", "Median", "95 % interval", "P(> 0)")
    return Table("Effects with σ_het fixed", columns, rows, texts=(1, 2))
