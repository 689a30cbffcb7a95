"""Simulation-based calibration as a report."""

from __future__ import annotations

from functools import partial

from bayesmed.core import provenance
from bayesmed.core.numbers import number
from bayesmed.report.answer import Answer
from bayesmed.report.content import Content, Paragraph, Picture, Section, Table
from bayesmed.report.figures.calibration import rank_distributions
from bayesmed.studies.calibration import Calibration
from bayesmed.studies.calibration.calibrate import OUTSIDE

__all__ = ["calibration_content"]

ABOUT = (
    "Parameters were drawn from the priors, data from the model, and the model was fitted to them. "
    "Where priors, likelihood and sampler are one model, the rank of what is true among the draws "
    "of its posterior takes every value as often."
)


def calibration_content(found: Calibration, title: str = "") -> Content:
    """Compose the report of a calibration: the answer, ranks as a picture and a table, its origin.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> ranks = pd.DataFrame({"replicate": np.arange(50) + 1, "quantity": "slope",
    ...                       "rank": np.arange(50) % 10, "divergences": 0})
    >>> made = Calibration("a model", None, ranks, pd.DataFrame(columns=["task", "error"]), 10, 1)
    >>> calibration_content(made).answer.sentence[:66]
    'Ranks of 1 of 1 quantities stay in the 95 % simultaneous band over'
    """
    return Content(
        title=title.strip() or f"Calibration of {type(found.model).__name__}",
        question="Are posteriors of this model what they say, where its priors and form are true?",
        answer=_answer(found),
        sections=(_ranks(found), _origin(found)),
        made=f"Computed by bayesmed {provenance.versions()['bayesmed']}, seed {found.seed}.",
    )


def _answer(found: Calibration) -> Answer:
    table = found.table()
    inside, least = int(table["inside"].sum()), float(table["p_of_all"].min())
    over = number(float(table["replicates"].max()))
    sentence = (
        f"Ranks of {inside} of {len(table)} quantities stay in the 95 % simultaneous band over "
        f"{over} data sets. One in twenty leaves it by chance; the least p-value, times the number "
        f"of quantities, is {number(least)}."
    )
    first = []
    if least < OUTSIDE:
        worst = table.nsmallest(1, "p_value")["quantity"].iloc[0]
        first = [f"Posteriors of {worst} are not what they say: see the picture."]
    if len(found.failed):
        first.append(f"{len(found.failed)} fits failed, and are in no number below.")
    notes = []
    if found.divergent:
        notes.append(f"{100 * found.divergent:.1f} % of fits had divergent transitions.")
    return Answer(tuple(first), sentence, (), tuple(notes))


def _ranks(found: Calibration) -> Section:
    table = found.table()
    rows = tuple(
        (
            str(row["quantity"]),
            str(row["replicates"]),
            number(row["mean_rank"]),
            number(row["spread"]),
            number(row["p_value"]),
            "inside" if row["inside"] else "outside",
        )
        for row in table.to_dict("records")
    )
    columns = ("Quantity", "Data sets", "Mean rank", "Spread", "p", "95 % band")
    note = (
        "Mean rank: below .5 where posteriors are too high. Spread: of ranks over that of uniform "
        "ones; above 1 where posteriors are too narrow, below 1 where they are too wide."
    )
    counts = {name: found.counts(name) for name in table["quantity"]}
    caption = (
        "Share of ranks below each value, less the share if all were as likely: a line for each "
        "quantity, in grey the band that all of a line stays in 19 times of 20."
    )
    alternative = "Lines of rank distributions within the simultaneous band around zero."
    title = type(found.model).__name__
    draw = partial(rank_distributions, {title: counts})
    return Section(
        "ranks",
        "Ranks of what is true",
        (
            Paragraph(ABOUT),
            Picture("ranks", caption, alternative, draw),
            Table("Ranks by quantity", columns, rows, (0, 5), note, slug="ranks"),
        ),
    )


def _origin(found: Calibration) -> Section:
    rows = [("Seed", str(found.seed)), ("Values of a rank", str(found.n_ranks))]
    rows += [("Model", repr(found.model)), *provenance.versions().items()]
    table = Table("How this was computed", ("What", "Value"), tuple(rows), texts=(0, 1))
    return Section("origin", "Making it again", (table,))
