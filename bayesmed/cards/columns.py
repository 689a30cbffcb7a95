"""The ``[data]`` section of a card: which column of a site table plays which role."""

from __future__ import annotations

from bayesmed.cards.section import Section
from bayesmed.data import ArmCovariance, MediatorColumns, MediatorCovariance, SiteColumns

MEDIATOR = ("name", "effect", "se", "interval", "cov", "corr")
COVARIANCE = ("first", "second", "cov", "corr")
ARM_COVARIANCE = ("arm", "columns")
DATA = (
    "file",
    "dataset",
    "derivation",
    "notes",
    "where",
    "site",
    "arm",
    "block",
    "weight",
    "n",
    "covariates",
    "outcome",
    "outcome_scale",
    "total_effect",
    "total_effect_se",
    "total_effect_interval",
    "mediators",
    "covariances",
    "arm_covariances",
)


def read_columns(section: Section) -> SiteColumns:
    """Read the columns that ``[data]`` and the sections below it name."""
    mediators = tuple(_mediator(item) for item in section.sections("mediators", MEDIATOR))
    covariances = tuple(_covariance(item) for item in section.sections("covariances", COVARIANCE))
    between = section.sections("arm_covariances", ARM_COVARIANCE)
    arm_covariances = tuple(_arm_covariance(item) for item in between)
    if not mediators:
        raise section.missing("mediators", "Write a section [[data.mediators]].")
    total_effect = section.required_text("total_effect", "the column of total effects")
    with section.located():
        return SiteColumns(
            mediators=mediators,
            covariances=covariances,
            arm_covariances=arm_covariances,
            total_effect=total_effect,
            total_effect_se=section.text("total_effect_se"),
            total_effect_interval=section.pair("total_effect_interval"),
            site=section.text("site"),
            arm=section.text("arm"),
            block=section.text("block"),
            weight=section.text("weight"),
            n=section.text("n"),
            covariates=section.texts("covariates"),
            outcome=section.text("outcome") or "outcome",
            outcome_scale=section.text("outcome_scale") or "difference",
            where=read_texts(section, "where"),
        )


def _mediator(section: Section) -> MediatorColumns:
    name = section.required_text("name", "what the mediator is called")
    effect = section.required_text("effect", "the column of its effects")
    with section.located():
        return MediatorColumns(
            name=name,
            effect=effect,
            se=section.text("se"),
            interval=section.pair("interval"),
            cov=section.text("cov"),
            corr=section.text("corr"),
        )


def _covariance(section: Section) -> MediatorCovariance:
    first = section.required_text("first", "the name of a mediator")
    second = section.required_text("second", "the name of another mediator")
    with section.located():
        return MediatorCovariance(first, second, cov=section.text("cov"), corr=section.text("corr"))


def _arm_covariance(section: Section) -> ArmCovariance:
    arm = section.required_text("arm", "a name of the column of arms")
    columns = section.grid("columns", "a row for each estimate of the other arm")
    with section.located():
        return ArmCovariance(arm, columns)


def read_texts(section: Section, key: str) -> dict[str, str]:
    """Return a table of texts or whole numbers, by column."""
    names = section.values.get(key, {})
    known = tuple(names) if isinstance(names, dict) else ()
    table = section.section(key, known, example=f'{key} = {{ column = "value" }}')
    return {} if table is None else {name: as_text(table, name) for name in known}


def as_text(section: Section, key: str) -> str:
    """Return a text, or a whole number as the text it stands for in a data file."""
    value = section.values[key]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise section.wrong(key, "Write the value in quotes, as it stands in the data file.")
    return section.text(key) or ""
