"""A model card: one TOML file that says which question, which model, which data, which priors."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from bayesmed.cards.assumption_study import AssumptionStudy, read_assumption_study
from bayesmed.cards.data import CardData, load, read_data
from bayesmed.cards.framing import FRAMING, Framing, read_framing
from bayesmed.cards.priors import read_prior, read_priors
from bayesmed.cards.section import Section, read_toml
from bayesmed.cards.study import PriorStudy, read_prior_study
from bayesmed.cards.trials import load_trial
from bayesmed.core.errors import CardError, nearest
from bayesmed.core.progress import Progress
from bayesmed.generative import MODELS, AnyModel, AnyTrialModel, PrincipalStrata, TrialModel
from bayesmed.inference import Sampler
from bayesmed.priors import Prior

TOP = (*FRAMING, "model", "data", "priors", "sampler", "study")
# Choices of each type of model, by what they are written as.
TEXTS = (
    "slope",
    "direct_effect_distribution",
    "slope_covariance",
    "sampling_covariance",
    "mediator",
    "person_effects",
    "errors",
    "monotone_in",
    "outcome_likelihood",
)
LISTS = ("covariates", "instruments")
FLAGS = (
    "direct_effect",
    "interaction",
    "control_interactions",
    "saturated",
)
NUMBERS_OR_PRIORS = (
    "correlation",
    "within_site_covariance",
    "heterogeneity",
    "share_concentration",
    "defiers",
)
FLAGS_OR_NUMBERS = ("compliance_correlation",)
BY_COVARIATE = ("direct_modifier", "slope_modifier")
MODEL = {
    kind: ("type", *(f.name for f in fields(made) if f.name != "priors"))
    for kind, made in MODELS.items()
}
STUDIES = ("prior_sensitivity", "assumptions")
SAMPLER = ("engine", "draws", "tune", "chains", "target_accept", "cores", "seed")


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
    prior_study
        The priors that `prior_sensitivity` is to try; None where the card says nothing of it.
    assumption_study
        What `assumption_sensitivity` is to try; None where the card says nothing of it.
    path
        The file the card was read from.

    Examples
    --------
    >>> from bayesmed.cards import find_card
    >>> card = load_card(find_card("colombia_vouchers"))
    >>> card.model.slope, card.load_data().n_rows
    ('constant', 3)
    """

    model: AnyModel | AnyTrialModel
    data: CardData
    sampler: Sampler
    path: Path
    seed: int | None = None
    framing: Framing = field(default_factory=Framing)
    prior_study: PriorStudy | None = None
    assumption_study: AssumptionStudy | None = None

    def load_data(
        self, file: str | os.PathLike[str] | None = None, *, progress: Progress | None = None
    ) -> Any:
        """Read and check the data the card names; rows of persons are reduced as the model needs.

        Parameters
        ----------
        file
            A CSV or Parquet file (``.parquet``, ``.pq``) to read instead; the card's columns
            apply to it. Where the card names rows of persons, a file or folder of those.
        progress
            Shows how far scans of rows are.

        Returns
        -------
        SiteEstimates, TrialMoments, TrialPersons or TrialCells
            What the card's model is fitted to.

        Raises
        ------
        CardError
            If neither the card nor the caller names any data.
        DataError
            If the data cannot be used.
        """
        found: Any
        if isinstance(self.model, TrialModel):
            named = None if file is None else Path(file)
            found = load_trial(self.model, self.data.rows, self.data.cells, named, progress)
        else:
            found = load(self.data, file, progress)
        if found is None:
            key = "[data]" if self.data.rows is None else "[data.rows]"
            key = key if self.data.cells is None else "[data.cells]"
            raise CardError(
                f"{self.path.name} names no data.",
                f'Write {key} file = "my_data.csv", or give the file with --data.',
            )
        return found


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
    of_trial = isinstance(model, TrialModel)
    data = read_data(top, file.absolute().parent, of_trial=of_trial)
    if data.cells is not None and not isinstance(model, PrincipalStrata):
        raise CardError(
            f"{file.name}: [data.cells] is for principal_strata models.",
            "Write [data.rows] or a table of sites, as the model takes them.",
        )
    for name in () if isinstance(model, TrialModel) else model.covariates:
        if name not in data.covariates:
            named = "covariate of [data]" if data.rows is None else "site covariate of [data.rows]"
            raise CardError(
                f"{file.name}: model.covariates names {name!r}, which is no {named}.",
                nearest(name, data.covariates),
            )
    sampler, seed = _sampler(top)
    study = top.section("study", STUDIES, example="[study.prior_sensitivity]")
    return Card(
        model=model,
        data=data,
        sampler=sampler,
        seed=seed,
        framing=read_framing(top),
        prior_study=None if study is None else _prior_study(study, model),
        assumption_study=None if study is None else read_assumption_study(study, model),
        path=file,
    )


def _prior_study(study: Section, model: AnyModel | AnyTrialModel) -> PriorStudy | None:
    if not isinstance(model, TrialModel):
        return read_prior_study(study, model)
    if "prior_sensitivity" in study.values:
        raise CardError(
            f"{study.card}: [study.prior_sensitivity] is for models of sites.",
            "Take it away for a trial; [study.assumptions.priors] has room for other priors.",
        )
    return None


def _model(top: Section) -> AnyModel | AnyTrialModel:
    written = top.values.get("model")
    named = written.get("type") if isinstance(written, dict) else None
    known = MODEL.get(named, MODEL["site_slope"]) if isinstance(named, str) else MODEL["site_slope"]
    model = top.section("model", known, example='[model] and type = "site_slope" below it')
    if model is None:
        raise top.missing("model", 'Write a section [model] with type = "site_slope".')
    kind = model.required_text("type", "the kind of model")
    if kind not in MODELS:
        raise model.wrong("type", nearest(kind, MODELS))
    choices = _choices(model)
    priors = read_priors(top, "priors")
    with model.located():
        MODELS[kind](**choices)
    with replace(model, path="priors", values={}).located():
        made: AnyModel | AnyTrialModel = MODELS[kind](**choices, priors=priors)
    return made


def _choices(model: Section) -> dict[str, Any]:
    """Read the choices that are made; the model knows the defaults of the others."""
    found: dict[str, Any] = {key: model.text(key) for key in TEXTS if key in model.values}
    found |= {key: model.flag(key, True) for key in FLAGS if key in model.values}
    found |= {key: model.texts(key) for key in LISTS if key in model.values}
    for key in FLAGS_OR_NUMBERS:
        if isinstance(model.values.get(key), bool):
            found[key] = model.flag(key, True)
        elif key in model.values:
            found[key] = model.number(key, 0.0)
    for key in BY_COVARIATE:
        if key in model.values:
            found[key] = _by_covariate(model, key)
    for key in NUMBERS_OR_PRIORS:
        if isinstance(model.values.get(key), dict):
            found[key] = read_prior(model, key)
        elif key in model.values:
            found[key] = model.number(key, 0.0)
    return found


def _by_covariate(model: Section, key: str) -> dict[str, float | Prior]:
    """Read a table of numbers or priors by covariate."""
    written = model.values[key]
    known = tuple(written) if isinstance(written, dict) else ()
    each = model.section(key, known, example=f"{key} = {{ age = 0.5 }}")
    assert each is not None
    return {
        name: read_prior(each, name) if isinstance(value, dict) else each.number(name, 0.0)
        for name, value in each.values.items()
    }


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
