"""Commands, options and exit codes of ``bayesmed``."""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from bayesmed.cli.display import complain, display
from bayesmed.cli.exit_codes import (
    BAD_INPUT,
    DONE,
    FAULT,
    INTERRUPTED,
    NOT_CONVERGED,
    TERMINATED,
)
from bayesmed.cli.options import FILE
from bayesmed.cli.row_commands import estimates, subgroups
from bayesmed.core.errors import BayesmedError, InputError

if TYPE_CHECKING:
    from bayesmed.report import Results

_ROPE = "Region of practical equivalence of the average indirect effect."


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="bayesmed")
def app() -> None:
    """Bayesian mediation analysis from treatment effects that vary across sites.

    Start with `bayesmed new site_slope > my_study.toml`, edit the card, and run
    `bayesmed fit my_study.toml`.
    """


app.add_command(estimates)
app.add_command(subgroups)


@app.command()
@click.argument("card", type=FILE)
@click.option("--data", type=FILE, help="CSV or Parquet file to use instead of the card's data.")
@click.option("--out", type=FILE, help="Folder for the results.  [default: results/NAME-OF-CARD]")
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
@click.argument("card", type=FILE)
@click.option("--data", type=FILE, help="CSV or Parquet file to use instead of the card's data.")
@click.option("--out", type=FILE, help="File for a picture, .png or .svg; none without it.")
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
@click.argument("card", type=FILE)
@click.option("--data", type=FILE, help="CSV or Parquet file to use instead of the card's data.")
@click.option(
    "--out", type=FILE, help="Folder for the study.  [default: results/NAME-OF-CARD_sensitivity]"
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
@click.argument("plan", type=FILE, required=False)
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
@click.option("--store", type=FILE, help="File that keeps what is done, to go on from later.")
@click.option("--out", type=FILE, help="Folder for the results.  [default: results/NAME-OF-PLAN]")
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
@click.argument("directory", type=FILE)
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
