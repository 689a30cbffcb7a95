"""Sites that were found in the data, and what depends on the split, as reports."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.cards import Framing
from bayesmed.core.names import ACME, AVERAGE_SLOPE, SLOPE
from bayesmed.core.numbers import number
from bayesmed.core.words import joined
from bayesmed.effects.labels import of_all
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
from bayesmed.report.figures.sensitivity import estimates as interval_figure
from bayesmed.report.figures.tree import causal_tree, places
from bayesmed.report.rows import Row
from bayesmed.report.tables import interval, shown
from bayesmed.studies.sensitivity import SplitSensitivity
from bayesmed.subgroups import CausalTree, FoundSites

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["found_content", "splits_content", "tree_picture"]

MOST_ROWS = 60
ALL = "all splits"
LABELS = {
    SLOPE: "Slope",
    AVERAGE_SLOPE: "Average slope",
    ACME: "Average effect through the mediator",
    of_all(ACME): "Average effect through all mediators",
    "average_direct_effect": "Average direct effect",
    "average_total_effect": "Average total effect",
}
CONDITIONAL = (
    "Each interval is that of sites known beforehand. The one on top goes from the lower median of "
    "their lower ends to the upper median of their upper ends: where splits agree it covers as "
    "often as one of them does, and with at least 90 % probability whatever they do (Chernozhukov, "
    "Demirer, Duflo and Fernández-Val 2025)."
)


def found_content(found: FoundSites, framing: Framing | None = None) -> Content:
    """Compose the report of sites that one split found.

    Parameters
    ----------
    found
        What `find_sites` returned.
    framing
        Title and question; words made from the data without it.
    """
    framing = framing or Framing()
    data = found.estimates
    title = framing.title.strip() or f"Sites found for effects on {joined(data.mediators)}"
    spread = [
        f"from {number(values.min())} to {number(values.max())} on {name}"
        for name, values in zip(data.mediators, data.mediator_effect.T, strict=True)
    ]
    sentence = f"{data.n_rows} sites; estimated effects of treatment go {joined(spread)}."
    return Content(
        title=title,
        question=framing.question.strip() or "Whose mediators does treatment move more?",
        answer=Answer((), sentence, (), tuple(data.notes)),
        sections=(
            Section("sites", "The sites", (*tree_picture(found), _sites(found))),
            Section("splits", "How they were found", (Paragraph(data.derivation), _splits(found))),
        ),
        made=f"Sites found with seed {found.seed}.",
    )


def splits_content(found: SplitSensitivity, framing: Framing | None = None) -> Content:
    """Compose the report of one model fitted to the sites of many splits.

    Parameters
    ----------
    found
        What `split_sensitivity` returned.
    framing
        Title and question; words made from the data without it.
    """
    framing = framing or Framing()
    first = found.repeated.found[0]
    data = first.estimates
    own = f"Effects on {data.outcome} through {joined(data.mediators)}"
    combined = found.combined() if found.answered else None
    tree: tuple[Block, ...] = tree_picture(first)
    if tree:
        said = f"The sites of the first split (seed {first.seed}), as one example of them."
        tree = (Paragraph(said), *tree)
    sections = [Section("columns", "What tells persons apart", (*_columns(found), *tree))]
    said_of_all = Answer(_first(found), "No split has an answer that converged.", (), ())
    if combined is not None:
        said_of_all = _answer(found, combined)
        sections.insert(0, Section("answers", "Split by split", _answers(found, combined)))
        sections.append(Section("values", "Estimates in each split", (_values(found),)))
    return Content(
        title=f"{framing.title.strip() or own}: sites found in {len(found.repeated.found)} splits",
        question=framing.question.strip() or "How much does the answer depend on the split?",
        answer=said_of_all,
        sections=tuple(sections),
        made=f"Fitted with seed {found.seed}; every split has a seed of its own.",
    )


def tree_picture(found: FoundSites) -> tuple[Picture, ...]:
    """Return the picture of a tree with the effects in its leaves; nothing of other sites."""
    if not isinstance(found.how, CausalTree):
        return ()
    effects = _leaf_effects(found)
    laid = places(found.splits)
    leaves = [place for place in laid if place.site]
    alternative = (
        f"A tree of {len(laid) - len(leaves)} splits and {len(leaves)} leaves: "
        + "; ".join(place.site for place in leaves)
        + "."
    )
    caption = (
        "From left to right: whom each split tells apart, and how many persons of those it was "
        "grown on are there. Squares are leaves, the sites; beside them the effects estimated "
        f"{'on other persons' if found.how.honest else 'on the same persons'}, with 95 % intervals."
    )
    return (Picture("tree", caption, alternative, partial(causal_tree, found.splits, effects)),)


def _leaf_effects(found: FoundSites) -> dict[str, dict[str, tuple[float, float]]]:
    """Return estimate and standard error by site of every variable, arm by arm."""
    data = found.estimates
    values = np.column_stack([data.mediator_effect, data.total_effect])
    errors = np.column_stack([data.mediator_se, data.total_effect_se])
    arms = [""] if data.arm is None else list(dict.fromkeys(data.arm))
    effects: dict[str, dict[str, tuple[float, float]]] = {}
    for arm in arms:
        rows = [i for i in range(data.n_rows) if data.arm is None or data.arm[i] == arm]
        for p, name in enumerate((*data.mediators, data.outcome)):
            label = f"effect on {name}" + (f", {arm}" if len(arms) > 1 else "")
            effects[label] = {
                data.site[i]: (float(values[i, p]), float(errors[i, p])) for i in rows
            }
    return effects


def _sites(found: FoundSites) -> Table:
    data = found.estimates
    rows = []
    for i in range(min(data.n_rows, MOST_ROWS)):
        effects = [
            f"{number(data.mediator_effect[i, p])} ({number(data.mediator_se[i, p])})"
            for p in range(data.n_mediators)
        ]
        total = f"{number(data.total_effect[i])} ({number(data.total_effect_se[i])})"
        persons = "–" if data.n is None else f"{data.n[i]:,.0f}"
        rows.append((data.labels[i], persons, *effects, total))
    columns = ("Site", "Persons", *(f"On {m}" for m in data.mediators), f"On {data.outcome}")
    note = "" if data.n_rows <= MOST_ROWS else f"{MOST_ROWS} of {data.n_rows:,} sites."
    return Table(
        "Estimated effects, with standard errors", columns, tuple(rows), note=note, slug="sites"
    )


def _splits(found: FoundSites) -> Table:
    """Return the splits of a tree, or the coefficients of propensities."""
    return _of_tree(found) if isinstance(found.how, CausalTree) else _of_propensities(found)


def _of_propensities(found: FoundSites) -> Table:
    table = found.splits
    rows = tuple(
        (str(r["mediator"]), str(r["fold"]), str(r["feature"]), shown(r["coefficient"]))
        for r in table.head(MOST_ROWS).to_dict("records")
    )
    columns = ("Mediator", "Fold", "Feature", "Coefficient")
    note = "" if len(table) <= MOST_ROWS else f"{MOST_ROWS} of {len(table):,} rows."
    caption = "What predicts effects on mediators"
    return Table(caption, columns, rows, texts=(0, 1, 2), note=note, slug="splits")


def _of_tree(found: FoundSites) -> Table:
    table = found.splits
    differences = [name for name in table.columns if name.startswith("difference[")]
    rows = tuple(
        (
            str(r["among"]),
            f"{r['below']} or {r['above']}",
            f"{r['n_below']:,} and {r['n_above']:,}",
            *(
                f"{shown(r[name])} ({shown(r[name.replace('[', '_se[', 1)])})"
                for name in differences
            ),
        )
        for r in table.to_dict("records")
    )
    names = (f"More on {name[len('difference[') : -1]} above" for name in differences)
    note = (
        "Differences, with standard errors as if persons were independent and counted alike, among "
        "the persons the tree was grown on: the largest that could be found there, and larger than "
        "among others."
    )
    columns = ("Among", "Split", "Persons", *names)
    return Table("Splits", columns, rows, texts=(0, 1, 2), note=note, slug="splits")


def _answer(found: SplitSensitivity, combined: pd.DataFrame) -> Answer:
    rows = tuple(
        Row(_label(found, r), r["q50"], r["q2.5"], r["q97.5"]) for r in combined.to_dict("records")
    )
    chief = combined.iloc[0]
    n = int(chief["splits"])
    positive = round(chief["share_positive"] * n)
    sentence = (
        f"{_label(found, chief.to_dict())}, over {n} random splits: median {number(chief['q50'])} "
        f"[{number(chief['q2.5'])}, {number(chief['q97.5'])}]. Single splits have medians from "
        f"{number(chief['lowest'])} to {number(chief['highest'])}, {positive} of {n} above 0; "
        f"the 95 % interval excludes 0 in {round(chief['share_excluding_0'] * n)}."
    )
    columns = ("Over all splits", "Median", "Interval")
    return Answer(_first(found), sentence, rows, (CONDITIONAL,), columns)


def _first(found: SplitSensitivity) -> tuple[str, ...]:
    """Say what has to be said before the answer."""
    said = []
    table = found.table()
    bad = 0
    if not table.empty:
        bad = table.loc[~table["converged"].astype(bool), "split_seed"].nunique()
    if bad:
        left = "split did not converge and is" if bad == 1 else "splits did not converge and are"
        said.append(f"{bad} {left} left out.")
    failures = found.failures()
    if len(failures):
        text = failures["error"].iloc[0]
        have = "split has" if len(failures) == 1 else "splits have"
        said.append(f"{len(failures)} {have} no answer; the first says: {text}")
    return tuple(said)


def _label(found: SplitSensitivity, row: object) -> str:
    got: dict[str, str] = dict(row)  # type: ignore[call-overload]
    label, several = LABELS[got["quantity"]], found.repeated.found[0].estimates.n_mediators > 1
    return f"{label}, {got['mediator']}" if several and got["mediator"] else label


def _answers(found: SplitSensitivity, combined: pd.DataFrame) -> tuple[Block, ...]:
    import pandas as pd

    blocks: list[Block] = []
    table = found.table()
    shown_ones = combined[combined["quantity"].isin((SLOPE, AVERAGE_SLOPE, ACME))]
    named = slugs("splits", shown_ones["quantity"])
    for whole, slug in zip(shown_ones.to_dict("records"), named, strict=True):
        mine = (table["quantity"] == whole["quantity"]) & (table["mediator"] == whole["mediator"])
        own = table[mine].sort_values("q50", kind="stable")
        named = own.assign(prior=[f"split {b}" for b in own["split"]])
        top = {key: whole[key] for key in ("q2.5", "q50", "q97.5")}
        rows = pd.concat([pd.DataFrame([{**top, "prior": ALL, "converged": True}]), named])
        rows = rows.assign(shift=range(len(rows)), moved=False, interval_changed=False)
        rows["sign_changed"] = (rows["q50"] > 0) != (whole["q50"] > 0)
        rows = rows.reset_index(drop=True)
        label = _label(found, whole)
        caption = (
            "Posterior medians and 95 % intervals; on top, and as a band, all splits together. "
            "Orange: a median of the other sign. Open circles did not converge; an arrow means "
            "that it goes on."
        )
        alternative = (
            f"{label}: medians from {number(whole['lowest'])} to {number(whole['highest'])} in "
            f"{whole['splits']} splits, {number(whole['q50'])} over all."
        )
        drawn = partial(interval_figure, rows, label)
        blocks.append(Picture(slug, caption, alternative, drawn))
    return (*blocks, Paragraph(CONDITIONAL))


def _columns(found: SplitSensitivity) -> tuple[Block, ...]:
    used = found.repeated.columns_used()
    how = found.repeated.found[0].how
    if not isinstance(how, CausalTree):
        return (Paragraph(found.repeated.found[0].estimates.derivation),)
    rows = tuple((str(name), f"{share:.0%}") for name, share in used.items())
    caption = "Share of the splits in which a column tells persons apart"
    table = Table(caption, ("Column", "Share"), rows, slug="columns")
    said = (
        "A column that only some splits use tells little, or another tells the same: no single "
        "tree is a finding about who responds."
    )
    return (table, Paragraph(said))


def _values(found: SplitSensitivity) -> Table:
    table = found.table()
    own = table[table["quantity"].isin(LABELS)]
    rows = tuple(
        (
            str(r["split"]),
            str(r["split_seed"]),
            str(r["sites"]),
            _label(found, r),
            shown(r["q50"]),
            interval(r["q2.5"], r["q97.5"]),
        )
        for r in own.head(MOST_ROWS).to_dict("records")
    )
    columns = ("Split", "Seed", "Sites", "Quantity", "Median", "95 % interval")
    note = "" if len(own) <= MOST_ROWS else f"{MOST_ROWS} of {len(own):,} rows."
    return Table(
        "Estimates in each split", columns, rows, texts=(0, 1, 3), note=note, slug="values"
    )
