"""What ``bayesmed subgroups`` does: sites found in rows, and what depends on the split."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesmed.cli.display import Display
from bayesmed.cli.estimating import Estimated, Targets, write_parts
from bayesmed.cli.row_options import RowOptions
from bayesmed.cli.writing import checked_target, written_together
from bayesmed.core.errors import DataError
from bayesmed.data import DataWarning, PersonRows
from bayesmed.subgroups import CausalTree, CompliancePropensity, find_sites, repeat_sites
from bayesmed.subgroups.choices import WAYS, own_choices

if TYPE_CHECKING:
    from bayesmed.report.content import Content
    from bayesmed.studies.sensitivity import SplitSensitivity

__all__ = ["Choices", "Found", "Splits", "find", "split_options"]

COMMAND = "subgroups"


@dataclass(frozen=True)
class Choices:
    """How sites are found, and the seed of the random parts."""

    how: CausalTree | CompliancePropensity
    seed: int | None


@dataclass(frozen=True)
class Splits:
    """How many random splits are fitted, by how many processes."""

    number: int
    workers: int | None


@dataclass(frozen=True)
class Found:
    """What there is to print, and whether every fit is sound."""

    estimated: Estimated
    sound: bool


def split_options(options: dict[str, Any], seed: int | None) -> tuple[Choices, dict[str, Any]]:
    """Return how sites are found, and the options that say what columns are.

    Raises
    ------
    DataError
        If an option belongs to the other way of finding sites, or a choice does not exist.
    """
    others = options | {"cut": (), "quantiles": ()}  # the data choose where to cut
    way = others.pop("how")
    common = {"categorical": others.pop("categorical"), "person": others.pop("person")}
    given = {}
    for one in WAYS:
        for name in own_choices(one):
            value = others.pop(name)
            if value is None:
                continue
            if one != way:
                raise DataError(
                    f"--{name.replace('_', '-')} is not for --how {way}.",
                    f"Leave it out, or take --how {one}.",
                )
            given[name] = value
    return Choices(WAYS[way](**given, **common), seed), others


def find(
    rows: Sequence[Path],
    options: RowOptions,
    choices: Choices,
    targets: Targets,
    report: Path | None,
    splits: Splits | None,
    shown: Display,
) -> Found:
    """Find sites, write their estimates, and the report where one is asked for.

    Everything that can be refused is refused before the rows are scanned; files are written
    together, or none.
    """
    columns, estimation = options.columns(), options.how()
    estimation.check_columns(columns)
    if splits is not None:
        _check_splits(splits, report)
    paths = targets.checked(rows, COMMAND)
    if report is not None:
        paths.append(checked_target("--report", report, (".html", ".md"), rows))
    persons, how = PersonRows.read(rows, columns), choices.how
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # they are shown as notes
        found = find_sites(persons, how, estimation, seed=choices.seed, progress=shown)
        content, sound = None, True
        if splits is not None:
            repeated = repeat_sites(
                persons, how, estimation, splits=splits.number, seed=found.seed, progress=shown
            )
            content, sound = _fitted(repeated, splits, found.seed, shown)
        elif report is not None:
            from bayesmed.report.subgroups import found_content

            content = found_content(found)
    shown.phase("Writing the estimates")
    with written_together(paths) as parts:
        places = dict(zip(paths, parts, strict=True))
        estimated = write_parts(found.reduction, targets, places, COMMAND)
        if report is not None and content is not None:
            _write_report(content, places[report])
    for note in found.estimates.notes:
        shown.note(f"Note: {note}")
    return Found(estimated, sound)


def _check_splits(splits: Splits, report: Path | None) -> None:
    if report is None:
        raise DataError("--splits has nowhere to say what it finds.", "Add --report splits.html.")
    for option, value in (("--splits", splits.number), ("--workers", splits.workers)):
        if value is not None and value < 1:
            raise DataError(f"{option} is {value}.", "Give a whole number from 1 up.")


def _fitted(repeated: Any, splits: Splits, seed: int, shown: Display) -> tuple[Content, bool]:
    """Fit the default model in every split; say what follows, and whether every fit is sound."""
    from bayesmed.report.subgroups import splits_content
    from bayesmed.studies.sensitivity import split_sensitivity

    study: SplitSensitivity = split_sensitivity(
        repeated, seed=seed, workers=splits.workers, progress=shown
    )
    sound = study.answered and study.failures().empty and bool(study.table()["converged"].all())
    content = splits_content(study)
    shown.note(content.answer.sentence)
    return content, sound


def _write_report(content: Content, part: Path) -> None:
    from bayesmed.report.report import write_content

    write_content(content, [part])
