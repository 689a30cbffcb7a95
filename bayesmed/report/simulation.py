"""A simulated study as a section of a report, and as a report of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

from bayesmed.core import provenance
from bayesmed.core.errors import BayesmedError
from bayesmed.core.numbers import number
from bayesmed.report.content import Block, Bullets, Content, Paragraph, Picture, Section, Table
from bayesmed.report.figures.simulation import field, layout, performance
from bayesmed.report.figures.simulation_estimates import sampling_distributions
from bayesmed.report.simulation_answer import records, simulation_answer, span
from bayesmed.report.tables import MISSING
from bayesmed.studies.simulation import Simulation

MOST_ROWS = 200
METRICS = ("Bias", "RMSE", "Excludes 0", "Covers", "Median width", "Wrong sign", "No interval")
NOTE = (
    "After each number its Monte Carlo standard error. Bias, root mean squared error (RMSE), "
    "coverage, width and sign are those of the data sets in which the estimator is defined and has "
    "an interval; the others are counted, and do not exclude 0. Wrong sign: of the intervals that "
    "exclude 0, the share on the wrong side of it (type S error)."
)


def simulation_content(found: Simulation, title: str = "") -> Content:
    """Compose the report of a simulated study: the answer, tables and pictures, how it was made.

    Raises
    ------
    BayesmedError
        If every task of the study failed: there is nothing to report.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from bayesmed.studies.simulation import FuDesign, design_grid, simulate
    >>> designs = design_grid(FuDesign(sites=5), {"sites": (5, 10)})
    >>> with ThreadPoolExecutor(1) as own:
    ...     found = simulate(designs, replicates=4, estimators=["OLS"], seed=1, executor=own)
    >>> [section.slug for section in simulation_content(found).sections]
    ['simulation', 'designs', 'origin']
    """
    if found.replicates.empty:
        error = found.failed["error"].iloc[0] if len(found.failed) else "there are none"
        raise BayesmedError(f"Every task of the study failed; the first: {error}")
    return Content(
        title=title.strip() or "A simulated study",
        question="How well would the slope of total effects on mediator effects be estimated?",
        answer=simulation_answer(found),
        sections=(simulation_section(found), _designs(found), _origin(found)),
        made=f"Computed by bayesmed {provenance.versions()['bayesmed']}, seed {found.seed}.",
    )


def simulation_section(found: Simulation) -> Section:
    """Return how estimators did in a simulated study: table, metrics, sampling distributions."""
    blocks: list[Block] = [performance_table(found)]
    lay = layout(found)
    if lay is not None:
        caption = (
            f"Metrics by {field(lay.x).lower()}, with two Monte Carlo errors either way. Dashed "
            "lines: no bias; coverage .95; a size of .05 where the truth is 0, else a power of "
            ".8. What leaves a picture is in the table."
        )
        said_first = f"Bias, rejection, coverage and width by {field(lay.x).lower()}; the numbers "
        blocks.insert(
            0, Picture("performance", caption, f"{said_first}are in the table.",
                       partial(performance, found))
        )  # fmt: skip
    caption = (
        "What each estimator gave over the data sets, with its median; the black line is the "
        "truth. Elsewhere: beyond the picture, or not defined."
    )
    alternative = "Histograms of estimates by design and estimator around the true slope."
    blocks.append(
        Picture("estimates", caption, alternative, partial(sampling_distributions, found))
    )
    return Section("simulation", "How the estimators did", tuple(blocks))


def performance_table(found: Simulation) -> Table:
    """Put the metrics of every design and estimator into a table."""
    table = found.table()
    names = found.varying
    several = ("Estimator",) if len(found.estimators) > 1 else ()
    rows = []
    for row in records(table.head(MOST_ROWS)):
        about = [_cell(row[name]) for name in names]
        about += [row["estimator"]] if several else []
        rows.append((*about, *_metrics(row)))
    left = len(table) - len(rows)
    note = NOTE + (f" {left} more rows are in table.csv." if left else "")
    columns = (*map(field, names), *several, *METRICS)
    texts = tuple(i for i, name in enumerate(columns) if name in ("Design", *several))
    analysed = "" if several else f", analysed by: {found.estimators[0]}"
    caption = f"{_replicates(found)} data sets of each design{analysed}"
    return Table(caption, columns, tuple(rows), texts=texts, note=note, slug="performance")


def _metrics(row: Mapping[str, Any]) -> tuple[str, ...]:
    cells = [
        _with_error(row[name], row[f"{name}_error"])
        for name in ("bias", "rmse", "rejects", "covers", "median_width", "type_s")
    ]
    missing = int(row["undefined"]) + int(row["without_interval"])
    return (*cells, str(missing) if missing else MISSING)


def _with_error(value: float, error: float) -> str:
    if math.isinf(value):
        return "∞"
    if math.isnan(value):
        return MISSING
    # Two digits of an error say enough.
    return f"{number(value)} ± {number(float(f'{error:.2g}'))}"


def _cell(value: Any) -> str:
    return number(float(value)) if isinstance(value, int | float) else str(value)


def _designs(found: Simulation) -> Section:
    """Return what was simulated: values that all designs share, in a table."""
    first = found.designs[0]
    blocks: list[Block] = []
    kinds = dict.fromkeys(type(d) for d in found.designs)
    for kind in kinds:
        words = (kind.__doc__ or kind.__name__).strip().splitlines()[0]
        blocks.append(Paragraph(f"{kind.__name__}: {words}"))
    if len(kinds) == 1 and is_dataclass(first):
        shared = tuple(
            (f.name, str(getattr(first, f.name)))
            for f in fields(first)
            if f.name not in found.varying
        )
        if shared:
            blocks.append(Table("Values that all designs have", ("Value", "Is"), shared, (0, 1)))
    names = [f"{name}" for name in found.estimators]
    blocks += [Paragraph("Every data set was analysed by:"), Bullets(tuple(names))]
    return Section("designs", "What was simulated", tuple(blocks))


def _origin(found: Simulation) -> Section:
    rows = [("Seed", str(found.seed)), ("Data sets of each design", _replicates(found))]
    rows += list(provenance.versions().items())
    table = Table("How this was computed", ("What", "Value"), tuple(rows), texts=(0, 1))
    text = (
        "Every data set has a seed of its own, made from the study's seed, its design and its "
        "number: neither the number of processes nor their order matters."
    )
    return Section("origin", "Making it again", (table, Paragraph(text)))


def _replicates(found: Simulation) -> str:
    counts = found.table()["replicates"]
    return span(counts.tolist()) if len(counts) else "0"
