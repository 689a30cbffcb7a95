"""Commands, options and exit codes of ``bayesmed``."""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bayesmed.cli.display import complain, display
from bayesmed.cli.options import of_rows
from bayesmed.core.errors import BayesmedError, InputError

if TYPE_CHECKING:
    from bayesmed.report import Results

DONE, NOT_CONVERGED, BAD_INPUT, FAULT = 0, 1, 2, 3
INTERRUPTED, TERMINATED = 130, 143

_FILE = click.Path(path_type=Path)
_ROPE = "Region of practical equivalence of the average indirect effect."


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="bayesmed")
def app() -> None:
    """Bayesian mediation analysis from treatment effects that vary across sites.

    Start with `bayesmed new site_slope > my_study.toml`, edit the card, and run
    `bayesmed fit my_study.toml`.
    """


@app.command()
@click.argument("card", type=_FILE)
@click.option("--data", type=_FILE, help="CSV or Parquet file to use instead of the card's data.")
@click.option("--out", type=_FILE, help="Folder for the results.  [default: results/NAME-OF-CARD]")
@click.option("--seed", type=int, help="Seed; without one in the card either, a fresh one.")
@click.option("--draws", type=int, help="Draws per chain.")
@click.option("--tune", type=int, help="Tuning draws per chain.")
@click.option("--chains", type=int, help="Number of chains.")
@click.option("--engine", type=click.Choice(["nuts", "exact"]), help="How to get the posterior.")
@click.option("--rope", type=float, nargs=2, metavar="LOW HIGH", help=_ROPE)
def fit(
    card: Path,
    data: Path | None,
    out: Path | None,
    seed: int | None,
    draws: int | None,
    tune: int | None,
    chains: int | None,
    engine: str | None,
    rope: tuple[float, float] | None,
) -> int:
    """Fit the model of CARD and write the results into a folder.

    CARD is a TOML file, or the name of one that ships (site_slope). Options win over the card.
    The folder is written all or nothing; an earlier result in it is replaced when the new one is
    complete, anything else is left alone.

    Exit codes: 0 done; 1 done, but convergence checks failed; 2 bad input, nothing written.
    """
    with display() as shown:
        shown.phase("Reading the card and the data")
        # PyMC and its friends take seconds to import: only now, with something on the screen.
        from bayesmed.cli.fitting import Overrides, fit_card

        overrides = Overrides(seed, draws, tune, chains, engine, rope)
        results = fit_card(card, data, out, overrides, shown)
    return _show(results)


@app.command(short_help="Put the classical estimators beside the posterior.")
@click.argument("card", type=_FILE)
@click.option("--data", type=_FILE, help="CSV or Parquet file to use instead of the card's data.")
@click.option("--out", type=_FILE, help="File for a picture, .png or .svg; none without it.")
@click.option("--fit", "sample", is_flag=True, help="Sample the posterior as CARD says (slow).")
def compare(card: Path, data: Path | None, out: Path | None, sample: bool) -> int:
    """Put the classical estimators beside the posterior of CARD, and say why they differ.

    The posterior is integrated exactly where the model allows it, in a moment; --fit samples it
    otherwise.

    Exit codes: 0 done; 1 done, but convergence checks failed; 2 bad input, nothing written.
    """
    with display() as shown:
        shown.phase("Reading the card and the data")
        from bayesmed.cli.comparing import compare_card, show_comparison

        compared = compare_card(card, data, out, sample, shown)
    show_comparison(compared)
    return DONE if compared.converged else NOT_CONVERGED


@app.command(short_help="Ask which conclusion changes under which prior, or assumption.")
@click.argument("card", type=_FILE)
@click.option("--data", type=_FILE, help="CSV or Parquet file to use instead of the card's data.")
@click.option(
    "--out", type=_FILE, help="Folder for the study.  [default: results/NAME-OF-CARD_sensitivity]"
)
@click.option("--seed", type=int, help="Seed; without one in the card either, a fresh one.")
@click.option("--engine", type=click.Choice(["nuts", "exact"]), help="How to get posteriors.")
@click.option("--workers", type=int, help="Processes that fit at once.  [default: all cores]")
@click.option("--assumptions", is_flag=True, help="Hold assumptions at values; no other priors.")
def sensitivity(
    card: Path,
    data: Path | None,
    out: Path | None,
    seed: int | None,
    engine: str | None,
    workers: int | None,
    assumptions: bool,
) -> int:
    """Fit the model of CARD again, and say which conclusions change.

    Under other priors: those of [study.prior_sensitivity] in CARD; without it, the card's own made
    wider and narrower. With an assumption held at several values where CARD has a section
    [study.assumptions], where the model is of one trial, and with --assumptions: what CARD says,
    or what the model rests on most. The folder keeps every refit as it comes: the same command
    goes on with a study that was interrupted.

    Exit codes: 0 done; 1 done, but a fit failed or did not converge; 2 bad input.
    """
    with display() as shown:
        shown.phase("Reading the card and the data")
        from bayesmed.cli.fitting import Overrides
        from bayesmed.cli.sensitivity import show_study, study_card

        overrides = Overrides(seed=seed, engine=engine)
        studied = study_card(card, data, out, overrides, workers, assumptions, shown)
    for one in studied:
        show_study(one)
    return DONE if all(one.sound for one in studied) else NOT_CONVERGED


@app.command(short_help="Estimate effects at each site from rows of persons.")
@click.argument("rows", type=_FILE, nargs=-1, required=True)
@click.option("--site", "-s", multiple=True, required=True, help="Column that names the site.")
@click.option("--cut", multiple=True, metavar="COL=X,X", help="Where to cut a site column.")
@click.option("--quantiles", multiple=True, metavar="COL=N", help="Groups to cut one into.")
@of_rows
@click.option("--out", type=_FILE, required=True, help="Table to write, .csv or .parquet.")
@click.option("--missing", type=_FILE, help="Table of missing cells to write, .csv.")
@click.option("--card", type=_FILE, help="Model card to write for the table, .toml.")
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


@app.command(short_help="Find sites in the rows of one trial, and estimate effects there.")
@click.argument("rows", type=_FILE, nargs=-1, required=True)
@click.option(
    "--by", "site", multiple=True, required=True, help="Baseline column that may tell apart."
)
@click.option(
    "--how",
    type=click.Choice(["tree", "compliance"]),
    default="tree",
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
@click.option("--out", type=_FILE, required=True, help="Table to write, .csv or .parquet.")
@click.option("--missing", type=_FILE, help="Table of missing cells to write, .csv.")
@click.option("--card", type=_FILE, help="Model card to write for the table, .toml.")
@click.option("--report", type=_FILE, help="Report to write: tree, sites, splits; .html or .md.")
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

        how, others = split_options(options, seed)
        chosen = RowOptions(**others)
        repeated = None if splits is None else Splits(splits, workers)
        found = find(rows, chosen, how, Targets(out, missing, card), report, repeated, shown)
    show_estimates(found.estimated)
    return DONE if found.sound else NOT_CONVERGED


@app.command(short_help="Print a commented model card to edit.")
@click.argument("name", default="site_slope")
def new(name: str) -> int:
    """Print a commented model card to edit: `bayesmed new site_slope > my_study.toml`.

    `bayesmed new simulation > my_plan.toml` prints a plan for `bayesmed simulate`.
    """
    if name == "simulation":
        from bayesmed.studies.simulation.plan import example_plan

        click.echo(example_plan(), nl=False)
        return DONE
    from bayesmed.cards import new_card

    click.echo(new_card(name), nl=False)
    return DONE


@app.command(short_help="Plan a trial: power, width of intervals, wrong signs.")
@click.argument("plan", type=_FILE, required=False)
@click.option("--sites", metavar="N,N", help="Numbers of sites.")
@click.option("--persons", metavar="N,N", help="Persons at each site.")
@click.option("--slope", metavar="X,X", help="What a unit of the mediator does to the outcome.")
@click.option("--slope-sd", metavar="X,X", help="Its spread across sites.")
@click.option("--mediator-effect-mean", metavar="X,X", help="Mean effect on the mediator.")
@click.option("--mediator-effect-sd", metavar="X,X", help="Its spread across sites.")
@click.option("--direct-effect-mean", metavar="X,X", help="Mean of the direct effects.")
@click.option("--direct-effect-sd", metavar="X,X", help="Their spread across sites.")
@click.option(
    "--mediator-outcome-correlation", metavar="X,X", help="That of persons of one arm and site."
)
@click.option("--replicates", type=click.IntRange(min=1), help="Trials of each design.  [500]")
@click.option("--seed", type=int, help="Seed; without one in the plan either, a fresh one.")
@click.option("--workers", type=int, help="Processes.  [one on each core]")
@click.option("--store", type=_FILE, help="File that keeps what is done, to go on from later.")
@click.option("--out", type=_FILE, help="Folder for the results.  [default: results/NAME-OF-PLAN]")
def simulate(
    plan: Path | None,
    out: Path | None,
    replicates: int | None,
    seed: int | None,
    workers: int | None,
    store: Path | None,
    **values: str | None,
) -> int:
    """Simulate planned trials and say what their analysis would find.

    PLAN is a TOML file (`bayesmed new simulation > my_plan.toml`); without it, the options say
    what to plan: sites, persons, slope, mediator-effect-sd, direct-effect-sd and
    mediator-outcome-correlation at least. Options win over the plan. Several values, with commas
    between them, give every combination. Effects are in units of a person's standard deviation
    unless the plan says otherwise.

    Exit codes: 0 done; 1 done, but tasks failed; 2 bad input, nothing written; 3 it failed.
    """
    with display() as shown:
        shown.phase("Reading the plan")
        from bayesmed.cli.simulating import Overrides, show_simulation, simulate_plan

        overrides = Overrides(replicates=replicates, seed=seed, workers=workers, store=store)
        simulated = simulate_plan(plan, values, out, overrides, shown)
    show_simulation(simulated)
    return DONE if simulated.found.failed.empty else NOT_CONVERGED


@app.command(short_help="Write the reports of a results folder once more.")
@click.argument("directory", type=_FILE)
@click.option("--rope", type=float, nargs=2, metavar="LOW HIGH", help=_ROPE)
def report(directory: Path, rope: tuple[float, float] | None) -> int:
    """Write reports, figures and tables of the results in DIRECTORY once more."""
    with display() as shown:
        shown.phase("Writing the report")
        from bayesmed.effects import Rope
        from bayesmed.report import rewrite_reports

        results = rewrite_reports(directory, rope=None if rope is None else Rope(*rope))
    return _show(results)


def _show(results: Results) -> int:
    """Print the answer; return the exit code."""
    from bayesmed.cli.answer import show

    show(results)
    return DONE if results.converged else NOT_CONVERGED


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code.

    Parameters
    ----------
    arguments
        Words after the program's name; those of the process by default.
    """
    signal.signal(signal.SIGTERM, _terminate)
    code = _run(arguments)
    if "duckdb" not in sys.modules:  # which prints a list of all that is not collected
        gc.freeze()  # the process ends here: collecting what it made would take a second
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    """Return the exit code; every expected failure becomes one message."""
    try:
        code = app.main(args=arguments, prog_name="bayesmed", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD_INPUT
    except click.ClickException as error:
        complain(_usage(error))
        return BAD_INPUT
    except InputError as error:
        complain(str(error))
        return BAD_INPUT
    except BayesmedError as error:
        complain(f"{error} {error.aftermath}".strip())
        return FAULT
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted; nothing half-written was left behind.")
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        complain("this is a fault in bayesmed, not in your input; nothing was written.")
        return FAULT
    return int(code or DONE)


def _usage(error: click.ClickException) -> str:
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    more = f" See `{command} --help`." if command else ""
    return f"{error.format_message()}{more}"


def _terminate(signum: int, frame: FrameType | None) -> None:
    # Leave as an exception does, so that half-written folders are taken away.
    raise SystemExit(TERMINATED)
