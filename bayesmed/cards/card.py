"""A model card: one TOML file that says which question, which model, which data, which priors."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bayesmed.cards.columns import DATA, read_columns
from bayesmed.cards.section import Section, read_toml
from bayesmed.core.errors import CardError, nearest
from bayesmed.data import SiteColumns, SiteEstimates, dataset_names, load_dataset
from bayesmed.generative import MODELS, SiteSlope
from bayesmed.inference import Sampler
from bayesmed.priors import Prior
from bayesmed.priors.prior import HYPERPARAMETERS

TOP = ("title", "question", "published", "assumptions", "model", "data", "priors", "sampler")
MODEL = (
    "type",
    "slope",
    "direct_effect",
    "direct_effect_distribution",
    "correlation",
    "covariates",
    "interaction",
)
PRIOR = ("distribution", "unit", *HYPERPARAMETERS)
SAMPLER = ("engine", "draws", "tune", "chains", "target_accept", "cores", "seed")


@dataclass(frozen=True)
class CardData:
    """Where the data of a card come from.

    Parameters
    ----------
    columns
        The role of each column.
    file
        A CSV or Parquet file, already resolved against the card's folder.
    dataset
        Name of a shipped table; at most one of ``file`` and ``dataset`` is given.
    """

    columns: SiteColumns
    file: Path | None = None
    dataset: str | None = None


@dataclass(frozen=True)
class Framing:
    """The words around an analysis, as a report shows them.

    Parameters
    ----------
    title, question, published
        What it is called, what it asks, where it was published; empty where unknown.
    assumptions
        What the answer relies on, one sentence each.
    """

    title: str = ""
    question: str = ""
    published: str = ""
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """What a model card says, checked and typed.

    Parameters
    ----------
    model
        The model with its priors.
    data
        Where the data come from.
    sampler
        How to draw from the posterior.
    seed
        The seed, or None for a fresh one.
    framing
        Words for the report.
    path
        The file the card was read from.
    """

    model: SiteSlope
    data: CardData
    sampler: Sampler
    path: Path
    seed: int | None = None
    framing: Framing = Framing()

    def load_data(self, file: str | os.PathLike[str] | None = None) -> SiteEstimates:
        """Read and check the data the card names.

        Parameters
        ----------
        file
            A CSV or Parquet file (``.parquet``, ``.pq``) to read instead; the card's columns
            apply to it.

        Returns
        -------
        SiteEstimates
            The table, with the rows that ``where`` keeps.

        Raises
        ------
        CardError
            If neither the card nor the caller names any data.
        DataError
            If the data cannot be used.
        """
        chosen = self.data.file if file is None else Path(file)
        if chosen is not None:
            if chosen.suffix.lower() in (".parquet", ".pq"):
                return SiteEstimates.read_parquet(chosen, self.data.columns)
            return SiteEstimates.read_csv(chosen, self.data.columns)
        if self.data.dataset is None:
            raise CardError(
                f"{self.path.name} names no data.",
                'Write [data] file = "my_sites.csv", or give the file with --data.',
            )
        frame = load_dataset(self.data.dataset)
        return SiteEstimates.from_frame(frame, self.data.columns, source=self.data.dataset)


def load_card(path: str | os.PathLike[str]) -> Card:
    """Read and check a model card.

    Parameters
    ----------
    path
        A TOML file; `new_card` gives one to start from.

    Returns
    -------
    Card
        The model, the place of the data, and the sampler, all checked. The data are not read.

    Raises
    ------
    CardError
        If the file is not a card, a key is unknown, missing or of the wrong type, or a value is
        not possible; the message names the key.

    Examples
    --------
    >>> from bayesmed.cards import find_card
    >>> card = load_card(find_card("site_slope"))
    >>> card.model.slope
    'constant'
    >>> card.load_data().n_mediators
    1
    """
    file = Path(path)
    top = Section(file.name, "", read_toml(file), TOP)
    model = _model(top)
    data = _data(top, file.absolute().parent)
    for name in model.covariates:
        if name not in data.columns.covariates:
            raise CardError(
                f"{file.name}: model.covariates names {name!r}, which is no covariate of [data].",
                nearest(name, data.columns.covariates),
            )
    sampler, seed = _sampler(top)
    return Card(
        model=model,
        data=data,
        sampler=sampler,
        seed=seed,
        framing=Framing(
            title=top.text("title") or "",
            question=top.text("question", lines=True) or "",
            published=top.text("published", lines=True) or "",
            assumptions=top.texts("assumptions", lines=True),
        ),
        path=file,
    )


def _model(top: Section) -> SiteSlope:
    model = top.section("model", MODEL, example='[model] and type = "site_slope" below it')
    if model is None:
        raise top.missing("model", 'Write a section [model] with type = "site_slope".')
    kind = model.required_text("type", "the kind of model")
    if kind not in MODELS:
        raise model.wrong("type", nearest(kind, MODELS))
    choices = _choices(model)
    priors = _priors(top)
    with model.located():
        SiteSlope(**choices)
    with replace(model, path="priors", values={}).located():
        return SiteSlope(**choices, priors=priors)


def _choices(model: Section) -> dict[str, Any]:
    """Read the choices that are made; the model knows the defaults of the others."""
    texts = ("slope", "direct_effect_distribution")
    found: dict[str, Any] = {key: model.text(key) for key in texts if key in model.values}
    for key in ("direct_effect", "interaction"):
        if key in model.values:
            found[key] = model.flag(key, True)
    if "covariates" in model.values:
        found["covariates"] = model.texts("covariates")
    if isinstance(model.values.get("correlation"), dict):
        found["correlation"] = _prior(model, "correlation")
    elif "correlation" in model.values:
        found["correlation"] = model.number("correlation", 0.0)
    return found


def _priors(top: Section) -> dict[str, Prior]:
    names = top.values.get("priors", {})
    known = tuple(names) if isinstance(names, dict) else ()
    priors = top.section("priors", known, example='[priors.slope] and distribution = "Normal"')
    return {} if priors is None else {name: _prior(priors, name) for name in known}


def _prior(parent: Section, name: str) -> Prior:
    example = f'[{parent.at(name)}] and distribution = "Normal"'
    prior = parent.section(name, PRIOR, example=example)
    assert prior is not None
    values: dict[str, Any] = {
        key: prior.number(key, 0.0) for key in prior.values if key in HYPERPARAMETERS
    }
    values["distribution"] = prior.required_text("distribution", 'for example "Normal"')
    unit = prior.text("unit")
    if unit is not None:
        values["unit"] = unit
    with prior.located():
        return Prior.from_mapping(values)


def _sampler(top: Section) -> tuple[Sampler, int | None]:
    section = top.section("sampler", SAMPLER, example="[sampler] and draws = 1000 below it")
    if section is None:
        return Sampler(), None
    given: dict[str, Any] = {}
    for key, least, most in (("draws", 1, 10**7), ("tune", 0, 10**7), ("chains", 1, 1000)):
        if key in section.values:
            given[key] = section.whole(key, 0, least=least, most=most)
    if "cores" in section.values:
        given["cores"] = section.whole("cores", 1, least=1, most=1024)
    if "target_accept" in section.values:
        given["target_accept"] = section.number("target_accept", 0.0)
    if (engine := section.text("engine")) is not None:
        given["engine"] = engine
    seed = section.whole("seed", 0, least=0, most=2**32 - 1) if "seed" in section.values else None
    with section.located():
        return Sampler(**given), seed


def _data(top: Section, folder: Path) -> CardData:
    section = top.section("data", DATA, example="[data] and its keys below it")
    if section is None:
        raise top.missing("data", "Write a section [data] that names the columns.")
    file, dataset = section.text("file"), section.text("dataset")
    if file is not None and dataset is not None:
        raise section.wrong("dataset", "The card also names a file: keep one of the two.")
    if dataset is not None and dataset not in dataset_names():
        raise section.wrong("dataset", nearest(dataset, dataset_names()))
    # Joining an absolute path gives that path; a file is never looked up anywhere else.
    return CardData(read_columns(section), None if file is None else folder / file, dataset)
