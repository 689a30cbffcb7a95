"""What a report says of whatever there is to report, one composer for each kind."""

from __future__ import annotations

from collections.abc import Mapping

from bayesmed.cards import Framing
from bayesmed.core.errors import ModelError, nearest
from bayesmed.inference import Fit, TrialFit
from bayesmed.report.assumptions import assumption_content
from bayesmed.report.calibration import calibration_content
from bayesmed.report.compose import compose
from bayesmed.report.content import Content
from bayesmed.report.findings import findings
from bayesmed.report.sensitivity import sensitivity_content
from bayesmed.report.simulation import simulation_content
from bayesmed.report.subgroups import found_content, splits_content
from bayesmed.studies.calibration import Calibration
from bayesmed.studies.sensitivity import (
    AssumptionSensitivity,
    PriorSensitivity,
    SplitSensitivity,
)
from bayesmed.studies.simulation import Simulation
from bayesmed.subgroups import FoundSites

__all__ = ["SHOWN", "Reported", "Studied", "chosen", "content_of", "content_of_study"]

type Studied = (
    PriorSensitivity
    | AssumptionSensitivity
    | SplitSensitivity
    | FoundSites
    | Calibration
    | Simulation
)
type Reported = Fit | TrialFit | Studied


REPORTED = "Give a fit, sites that find_sites found, or what a study returned."
SHOWN = (
    "Give a fit, what compare or ledger returned, sites that find_sites found, or what a study "
    "returned."
)


def content_of(what: Reported, framing: Framing | None = None) -> Content:
    """Compose the report of a fit, a study, or sites that were found.

    Raises
    ------
    ModelError
        If there is no report of such a thing, or the framing has a region of practical equivalence
        about an effect the fit does not have.
    """
    if isinstance(what, Fit):
        return compose(findings(what, framing))
    return content_of_study(what, framing)


def content_of_study(
    what: Studied, framing: Framing | None = None, *, accepted: str = REPORTED
) -> Content:
    """Compose the report of a study, or of sites that were found; ``accepted`` is for messages.

    Raises
    ------
    ModelError
        If there is no report of such a thing.
    """
    title = framing.title if framing else ""
    match what:
        case PriorSensitivity():
            return sensitivity_content(what, framing)
        case AssumptionSensitivity():
            return assumption_content(what, framing)
        case SplitSensitivity():
            return splits_content(what, framing)
        case FoundSites():
            return found_content(what, framing)
        case Calibration():
            return calibration_content(what, title)
        case Simulation():
            return simulation_content(what, title)
    raise ModelError(
        f"There is nothing to show of a {type(what).__name__}.",
        accepted,
    )


def chosen[T](made: Mapping[str, T], which: str, noun: str, what: object) -> T:
    """Return one of the pictures or tables of a thing, the first where none is named.

    Raises
    ------
    ModelError
        If there is none of that name, or none at all.

    Examples
    --------
    >>> chosen({"scatter": 1, "forest": 2}, "", "picture", None)
    1
    """
    kind = type(what).__name__
    if not made:
        raise ModelError(f"There is no {noun} of this {kind}.", "Report it: report(..., path).")
    if not isinstance(which, str):
        raise ModelError(f"{which!r} is no name of a {noun}.", nearest("", made))
    name = which or next(iter(made))
    if name not in made:
        raise ModelError(f"There is no {noun} {name!r} of this {kind}.", nearest(name, made))
    return made[name]
