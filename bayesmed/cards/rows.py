"""The section ``[data.rows]`` of a card: rows of persons, and how they become site estimates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayesmed.cards.columns import as_text, read_texts
from bayesmed.cards.section import Section
from bayesmed.cards.subgroups import Subgroups, read_subgroups
from bayesmed.core.errors import CardError
from bayesmed.data import Estimation, RowColumns

__all__ = ["ROWS", "RowsData", "read_rows"]

ROWS = (
    "file",
    "treatment",
    "mediators",
    "outcome",
    "site",
    "reference",
    "arms",
    "continuous",
    "instrument",
    "mediator_instrument",
    "covariates",
    "post_baseline",
    "fixed_effect",
    "cluster",
    "weights",
    "site_covariates",
    "log_odds",
    "cuts",
    "quantiles",
    "labels",
    "where",
    "covariance",
    "least_per_arm",
    "half_counts",
    "constant_outcome",
    "strict",
    "subgroups",
)

# How rows become estimates of sites: nothing that a model of one trial would look at.
OF_SITES = ("covariance", "least_per_arm", "half_counts", "constant_outcome", "subgroups")


@dataclass(frozen=True)
class RowsData:
    """Rows of persons that a card names.

    Parameters
    ----------
    columns
        The role of each column.
    how
        How the rows are reduced to site estimates.
    files
        CSV or Parquet files, or a folder of them, already resolved against the card's folder;
        empty where the card names none.
    subgroups
        How sites are found among the persons; None where the site columns name them.
    """

    columns: RowColumns
    how: Estimation
    files: tuple[Path, ...] = ()
    subgroups: Subgroups | None = None


def read_rows(section: Section, folder: Path, *, of_trial: bool = False) -> RowsData:
    """Read ``[data.rows]``; files are looked up in ``folder`` only.

    Rows of one trial need no site, and are not reduced to estimates of sites.
    """
    for key in OF_SITES:
        if of_trial and key in section.values:
            raise CardError(
                f"{section.card}: {section.at(key)} is for estimates of sites.",
                "Take it away: the model is one of a trial without sites.",
            )
    roles = _roles(section, of_trial)
    choices: dict[str, Any] = {}
    for key in ("covariance", "constant_outcome"):
        if (text := section.text(key)) is not None:
            choices[key] = text
    for key in ("half_counts", "strict"):
        choices[key] = section.flag(key, False)
    if "least_per_arm" in section.values:
        choices["least_per_arm"] = section.whole("least_per_arm", 0, least=2, most=10**9)
    files = tuple(folder / name for name in section.one_or_more("file"))
    with section.located():
        columns, how = RowColumns(**roles), Estimation(**choices)
        if not of_trial:
            how.check_columns(columns)
    return RowsData(columns, how, files, read_subgroups(section))


def _roles(section: Section, of_trial: bool) -> dict[str, Any]:
    needed = {
        "treatment": "the column of the treatment",
        "mediators": "the columns of the mediators",
        "outcome": "the column of the outcome",
        "site": "the column that names the site",
    }
    if of_trial:
        del needed["site"]
    for key, meaning in needed.items():
        if key not in section.values:
            value = '["…"]' if key == "mediators" else '"…"'
            raise section.missing(key, f"Write {key} = {value}, {meaning}.")
    roles: dict[str, Any] = {"outcome": section.text("outcome")}
    for key in ("treatment", "site"):
        if key not in section.values:
            continue
        names = section.one_or_more(key)
        roles[key] = names[0] if len(names) == 1 else names
    for key in ("mediators", "covariates", "post_baseline", "site_covariates", "log_odds"):
        roles[key] = section.texts(key)
    for key in ("instrument", "mediator_instrument", "fixed_effect", "cluster", "weights"):
        roles[key] = section.text(key)
    roles["reference"] = as_text(section, "reference") if "reference" in section.values else None
    roles["arms"] = _arms(section)
    roles["continuous"] = section.flag("continuous", False)
    for key in ("labels", "where"):
        roles[key] = read_texts(section, key)
    cuts = _by_column(section, "cuts", "cuts = { age = [30, 50] }")
    roles["cuts"] = {name: cuts.numbers(name) for name in cuts.values}
    groups = _by_column(section, "quantiles", "quantiles = { age = 4 }")
    roles["quantiles"] = {name: groups.whole(name, 0, least=2, most=1000) for name in groups.values}
    return roles


def _arms(section: Section) -> tuple[str, ...]:
    """Return the names of arms, which may be whole numbers."""
    value = section.values.get("arms", [])
    if not isinstance(value, list):
        raise section.wrong("arms", 'Write a list: arms = ["letter", "call"].')
    cells = {f"arms[{i}]": cell for i, cell in enumerate(value)}
    each = Section(section.card, section.path, cells, tuple(cells))
    return tuple(as_text(each, key) for key in cells)


def _by_column(section: Section, key: str, example: str) -> Section:
    """Return a table whose keys are columns; empty where it is absent."""
    names = section.values.get(key, {})
    known = tuple(names) if isinstance(names, dict) else ()
    found = section.section(key, known, example=example)
    return found or Section(section.card, section.at(key), {}, ())
