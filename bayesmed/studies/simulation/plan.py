"""A study as a TOML file says it, or the command line: designs, analyses, replicates, seed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from bayesmed.cards.section import MAX_BYTES, Section, parse_toml
from bayesmed.core.errors import CardError, ModelError, nearest
from bayesmed.generative import SiteModel, SiteSlope
from bayesmed.generative.registry import model_from_mapping
from bayesmed.studies.simulation.design import Design, design_grid
from bayesmed.studies.simulation.fu import FuDesign
from bayesmed.studies.simulation.planning import REPLICATES
from bayesmed.studies.simulation.reardon import ReardonDesign
from bayesmed.studies.simulation.trial import TrialDesign

TOP = ("title", "replicates", "seed", "estimators", "intercept", "design", "model")
DESIGNS: Mapping[str, type[FuDesign] | type[ReardonDesign] | type[TrialDesign]] = {
    "trial": TrialDesign,
    "fu": FuDesign,
    "reardon": ReardonDesign,
}
DEFAULT = SiteSlope()
MOST = 1_000_000
MOST_DESIGNS = 10_000


@dataclass(frozen=True)
class Plan:
    """What is to be simulated.

    Parameters
    ----------
    values
        What stands in ``[design]``, lists where there are several values.
    title
        What the study is called; empty where unknown.
    replicates
        Data sets of each design.
    seed
        The seed, or None for a fresh one.
    estimators
        Names of classical estimators.
    intercept
        Whether their lines have an intercept.
    model
        Whose posterior is studied.
    source
        Where it was read from, for messages.
    """

    values: Mapping[str, Any]
    title: str = ""
    replicates: int = REPLICATES
    seed: int | None = None
    estimators: tuple[str, ...] = ()
    intercept: bool = True
    model: SiteModel = DEFAULT
    source: str = "the options"

    def overridden(self, values: Mapping[str, Any]) -> Plan:
        """Return the plan with other values of the design in place of its own."""
        return replace(self, values={**self.values, **values})

    def designs(self) -> tuple[Design, ...]:
        """Return every combination of the values.

        Raises
        ------
        CardError
            If there is no such design, a value is missing, or one is not possible.
        """
        values = dict(self.values)
        kind = values.pop("type", "trial")
        if not isinstance(kind, str) or kind not in DESIGNS:
            raise CardError(
                f"{self.source}: there is no design of type {kind!r}.", nearest(str(kind), DESIGNS)
            )
        made = DESIGNS[kind]
        _check(made, values, self.source)
        grid = {key: value if isinstance(value, list) else [value] for key, value in values.items()}
        try:
            first = made(**{key: value[0] for key, value in grid.items()})
            return design_grid(first, grid)
        except ModelError as error:
            raise CardError(f"{self.source}: {error.problem}", error.remedy) from error


def _check(made: type, values: Mapping[str, Any], source: str) -> None:
    """Refuse keys the design does not have, empty lists, too many combinations."""
    known = {f.name: f.default is MISSING for f in fields(made)}
    combinations = 1
    for key, value in values.items():
        if key not in known:
            raise CardError(f"{source}: the key 'design.{key}' is not known.", nearest(key, known))
        if isinstance(value, list):
            if not value:
                raise CardError(f"{source}: design.{key} is an empty list.", "Give a value.")
            combinations *= len(value)
    for key, needed in known.items():
        if needed and key not in values:
            raise CardError(f"{source}: design.{key} is missing.", f"Give {key}, or a list of it.")
    if combinations > MOST_DESIGNS:
        raise CardError(
            f"{source}: there are {combinations} combinations.", f"At most {MOST_DESIGNS} will do."
        )


def load_plan(path: str | os.PathLike[str]) -> Plan:
    """Read the file of a planned study; `example_plan` gives one to start from.

    Raises
    ------
    CardError
        If it cannot be read, a key is unknown or missing, or a value is not possible.
    """
    file = Path(path)
    top = Section(file.name, "", parse_toml(_content(file), file.name), TOP)
    design = top.values.get("design")
    if not isinstance(design, dict):
        raise top.missing("design", "Begin it with [design].")
    seed = top.values.get("seed")
    return Plan(
        values=design,
        title=top.text("title") or "",
        replicates=top.whole("replicates", REPLICATES, least=1, most=MOST),
        seed=None if seed is None else top.whole("seed", 0, least=0, most=2**32 - 1),
        estimators=top.texts("estimators"),
        intercept=top.flag("intercept", True),
        model=_model(top),
        source=file.name,
    )


def example_plan() -> str:
    """Return a commented file of a planned study, to save and edit.

    Examples
    --------
    >>> "[design]" in example_plan()
    True
    """
    return files(__package__).joinpath("plan.toml").read_text(encoding="utf-8")


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise CardError(
            f"{str(file)!r} cannot be read: {getattr(error, 'strerror', None) or error}.",
            "Write one with `bayesmed new simulation > my_plan.toml`.",
        ) from error
    if len(content) > MAX_BYTES:
        raise CardError(
            f"{file.name} is larger than a plan may be ({MAX_BYTES // 1024} KiB).",
            "Is it another file?",
        )
    return content


def _model(top: Section) -> SiteModel:
    table = top.values.get("model", {"type": "site_slope"})
    if not isinstance(table, dict):
        raise top.wrong("model", "Write it as a section: [model].")
    try:
        made = model_from_mapping(table)
    except ModelError as error:
        raise CardError(f"{top.card}, [model]: {error.problem}", error.remedy) from error
    if not isinstance(made, SiteModel):
        raise top.wrong("model", "Plans are for models of sites: site_slope or multi_site_iv.")
    return made


def parsed_values(options: Mapping[str, str | None]) -> dict[str, Any]:
    """Turn options of the command line into values of a design: numbers, lists at commas.

    Raises
    ------
    CardError
        If an option is no number.

    Examples
    --------
    >>> parsed_values({"sites": "10,20", "slope": "0.5", "persons": None})
    {'sites': [10, 20], 'slope': 0.5}
    """
    found = {}
    for name, text in options.items():
        if text is not None:
            numbers = [_number(name, part) for part in text.split(",")]
            found[name] = numbers if len(numbers) > 1 else numbers[0]
    return found


def _number(name: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    option = "--" + name.replace("_", "-")
    raise CardError(f"{option} holds {text.strip()!r}.", "Give numbers, with commas between them.")
