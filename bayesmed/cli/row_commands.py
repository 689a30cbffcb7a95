"""Commands that read rows of persons: ``bayesmed estimates`` and ``bayesmed subgroups``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bayesmed.cli.display import display
from bayesmed.cli.exit_codes import DONE, NOT_CONVERGED
from bayesmed.cli.options import FILE, of_rows

__all__ = ["estimates", "subgroups"]


@click.command(short_help="Estimate effects at each site from rows of persons.")
@click.argument("rows", type=FILE, nargs=-1, required=True)
@click.option("--site", "-s", multiple=True, required=True, help="Column that names the site.")
@click.option("--cut", multiple=True, metavar="COL=X,X", help="Where to cut a site column.")
@click.option("--quantiles", multiple=True, metavar="COL=N", help="Groups to cut one into.")
@of_rows
@click.option("--out", type=FILE, required=True, help="Table to write, .csv or .parquet.")
@click.option("--missing", type=FILE, help="Table of missing cells to write, .csv.")
@click.option("--card", type=FILE, help="Model card to write for the table, .toml.")
def estimates(
    rows: tuple[Path, ...], out: Path, missing: Path | None, card: Path | None, **options: Any
) -> int:
    """Estimate effects on mediators and outcome at each site from ROWS of persons.

    ROWS are CSV or Parquet files of the same columns, or a folder of them, of any size. Options
    with names of columns may be repeated where several make sense: treatments, mediators, sites
    (strata of several columns), covariates.

    Exit codes: 0 done; 2 bad input, nothing written; 3 the engine failed.
    """
    with display() as shown:
        shown.phase("Opening the rows")
        from bayesmed.cli.estimating import Targets, estimate, show_estimates
        from bayesmed.cli.row_options import RowOptions

        chosen = RowOptions(**options)
        estimated = estimate(rows, chosen, Targets(out, missing, card), shown)
    show_estimates(estimated)
    return DONE


@click.command(short_help="Find sites in one trial, and estimate effects there.")
@click.argument("rows", type=FILE, nargs=-1, required=True)
@click.option(
    "--by", "site", multiple=True, required=True, help="Baseline column that may tell apart."
)
@click.option(
    "--how",
    type=click.Choice(["causal_tree", "compliance_propensity"]),
    default="causal_tree",
    show_default=True,
    help="Leaves of a causal tree, or strata of propensities to comply.",
)
@click.option("--leaves", type=int, help="Most leaves of the tree.  [8]")
@click.option("--least-in-leaf", type=int, help="Fewest persons of an arm in a leaf.  [30]")
@click.option("--depth", type=int, help="Most splits on the way to a leaf.  [6]")
@click.option("--share", type=float, help="Share of persons the tree is grown on.  [0.5]")
@click.option("--groups", type=int, help="Strata of each propensity.  [5]")
@click.option("--folds", type=int, help="Folds for propensities.  [5]")
@click.option("--categorical", multiple=True, help="Baseline column that holds names.")
@click.option("--person", help="Column that tells persons apart, where rows have no order.")
@of_rows
@click.option("--seed", type=int, help="Of the random parts; without one, a fresh one.")
@click.option("--splits", type=int, help="Find sites in so many splits, and fit each.")
@click.option("--workers", type=int, help="Processes that fit at once.  [all cores]")
@click.option("--out", type=FILE, required=True, help="Table to write, .csv or .parquet.")
@click.option("--missing", type=FILE, help="Table of missing cells to write, .csv.")
@click.option("--card", type=FILE, help="Model card to write for the table, .toml.")
@click.option("--report", type=FILE, help="Report to write: tree, sites, splits; .html or .md.")
def subgroups(
    rows: tuple[Path, ...],
    out: Path,
    missing: Path | None,
    card: Path | None,
    report: Path | None,
    seed: int | None,
    splits: int | None,
    workers: int | None,
    **options: Any,
) -> int:
    """Find sites in ROWS of one randomised trial, and estimate effects at each of them.

    Sites are leaves of an honest causal tree for the effects on the mediators (grown on one random
    part of the persons, estimated on the other), or strata of cross-fitted propensities to comply.
    The baseline columns named by --by may tell persons apart. The table is that of one split; with
    --splits the report says what the answer is over many, and how far they are apart.

    Exit codes: 0 done; 1 done, but a fit failed or did not converge; 2 bad input, nothing written.
    """
    with display() as shown:
        shown.phase("Opening the rows")
        from bayesmed.cli.estimating import Targets, show_estimates
        from bayesmed.cli.finding import Splits, find, split_options
        from bayesmed.cli.row_options import RowOptions

        if workers is not None and splits is None:
            raise click.UsageError("--workers is for --splits.")
        how, others = split_options(options, seed)
        chosen = RowOptions(**others)
        repeated = None if splits is None else Splits(splits, workers)
        found = find(rows, chosen, how, Targets(out, missing, card), report, repeated, shown)
    show_estimates(found.estimated)
    return DONE if found.sound else NOT_CONVERGED
