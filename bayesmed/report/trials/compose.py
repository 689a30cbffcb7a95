"""From findings about one trial to the content of a report: which section says what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmed.effects import compare, effects
from bayesmed.inference import TrialFit
from bayesmed.report import tables as common
from bayesmed.report.answer import answer
from bayesmed.report.check_pictures import check_pictures
from bayesmed.report.content import Block, Bullets, Content, Paragraph, Section
from bayesmed.report.ledger import ABOUT, assumptions
from bayesmed.report.moves import SCALED, scaling
from bayesmed.report.origin import made, origin
from bayesmed.report.region_picture import region_picture
from bayesmed.report.trials import pictures, tables, words

if TYPE_CHECKING:
    from bayesmed.report.findings import Findings

__all__ = ["compose_trial"]


def compose_trial(found: Findings, fit: TrialFit) -> Content:
    """Compose everything a report of one trial says, as `compose` does for sites."""
    framing = found.framing
    return Content(
        title=framing.title.strip() or words.title(fit),
        question=framing.question.strip() or words.question(fit),
        answer=answer(found),
        sections=(
            _effects(found, fit),
            _basis(found, fit),
            _moves(found, fit),
            _classical(fit),
            _prediction(found, fit),
            _computation(found, fit),
            _data(fit),
            origin(fit, found.ledger.papers, framing.published),
        ),
        made=made(fit),
    )


def _effects(found: Findings, fit: TrialFit) -> Section:
    own = effects(fit)
    blocks: list[Block] = [*region_picture(found), pictures.effects_picture(own, fit.data.names)]
    blocks.append(tables.effects_table(found, own, fit.data.names))
    blocks += [Paragraph(text) for text in found.notes]
    return Section("effects", "Effects", tuple(blocks))


def _basis(found: Findings, fit: TrialFit) -> Section:
    blocks: list[Block] = [Paragraph(text) for text in words.model_in_words(fit)]
    stated = tuple(a.strip() for a in found.framing.assumptions if a.strip())
    if stated:
        blocks += [Paragraph("The analyst states that the answer relies on:"), Bullets(stated)]
    blocks += [Paragraph(ABOUT), assumptions(found.ledger)]
    about_data = tuple(c for c in found.checks if not c.convergence)
    blocks.append(common.checks(about_data, "What was checked about data and model"))
    return Section("basis", "What the answer rests on", tuple(blocks))


def _moves(found: Findings, fit: TrialFit) -> Section:
    text = (
        "Refits say how far assumptions may fail: assumption_sensitivity, or bayesmed sensitivity, "
        "holds them at other values and reports which conclusions change."
    )
    scaled = scaling(fit)
    blocks: list[Block] = [] if scaled is None else [scaled, Paragraph(SCALED)]
    blocks += [Paragraph(text), common.priors(fit), pictures.priors_and_posteriors(fit)]
    return Section("moves", "How the answer moves", (*blocks, common.parameters(found, fit)))


def _classical(fit: TrialFit) -> Section:
    found = compare(fit)
    blocks: list[Block] = [tables.trial_estimates(found), pictures.beside(found)]
    if found.instruments:
        blocks.append(tables.trial_instruments(found))
    return Section("classical", "Beside the classical estimators", tuple(blocks))


def _prediction(found: Findings, fit: TrialFit) -> Section:
    title = "Would such data come from this model?"
    blocks = (pictures.predictions(fit), *check_pictures(found.checks))
    return Section("prediction", title, blocks)


def _computation(found: Findings, fit: TrialFit) -> Section:
    blocks: list[Block] = []
    if not found.converged:
        blocks.append(Paragraph("The computation did not converge: do not use these numbers."))
    own = tuple(c for c in found.checks if c.convergence)
    blocks.append(common.checks(own, "Checks of the computation"))
    blocks += [common.chain_quality(found, fit), pictures.chain_ranks(fit)]
    return Section("computation", "Was it computed well?", tuple(blocks))


def _data(fit: TrialFit) -> Section:
    data = fit.data
    made_of = [str(getattr(data, "derivation", "")).strip()]
    texts = [f"{data.n_persons:,} persons from {data.source}.", *made_of]
    blocks = [Paragraph(text) for text in texts if text]
    return Section("data", "The data", (*blocks, tables.data_table(fit)))
