"""Options that several commands share: the roles of columns of persons' rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

__all__ = ["FILE", "of_rows"]

FILE = click.Path(path_type=Path)

_OPTIONS = (
    click.option(
        "--treatment", "-t", multiple=True, required=True, help="Column of the treatment."
    ),
    click.option("--mediator", "-m", multiple=True, required=True, help="Column of a mediator."),
    click.option("--outcome", "-y", required=True, help="Column of the outcome."),
    click.option("--arm-reference", "--reference", "reference", help="Arm to compare with.  [0]"),
    click.option("--arm", multiple=True, help="Arm to compare.  [all others]"),
    click.option("--continuous", is_flag=True, help="The treatment is an amount, not an arm."),
    click.option("--instrument", help="Column of a randomised encouragement."),
    click.option("--covariate", multiple=True, help="Column to adjust for at each site."),
    click.option("--fixed-effect", help="Column of blocks within sites."),
    click.option("--cluster", help="Column of clusters; covariances are robust to them."),
    click.option("--weights", help="Column of sampling weights."),
    click.option("--site-covariate", multiple=True, help="Column whose mean describes the site."),
    click.option("--log-odds", multiple=True, help="Mediator or outcome to compare by log odds."),
    click.option("--label", multiple=True, metavar="COL=NAME", help="What results call a column."),
    click.option("--where", multiple=True, metavar="COL=VALUE", help="Keep these rows only."),
    click.option("--covariance", default="HC1", show_default=True, help="HC1, HC2 or pooled."),
    click.option("--least-per-arm", type=int, default=3, show_default=True, help="Persons needed."),
    click.option(
        "--half-counts", is_flag=True, help="Correct log odds where nobody has the event."
    ),
    click.option(
        "--constant-outcome", default="drop", show_default=True, help="Such a site: drop, or known."
    ),
    click.option("--strict", is_flag=True, help="Refuse the rows where a site would be dropped."),
)


def of_rows(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what the columns of rows are, but for sites."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
