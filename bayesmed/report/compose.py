"""From findings to the content of a report: which section says what."""

from __future__ import annotations

from bayesmed.core.names import ACME
from bayesmed.effects.estimands import SHARES
from bayesmed.effects.labels import of_all
from bayesmed.generative import MultiSiteIV
from bayesmed.inference import Fit, is_trial
from bayesmed.report import comparison, pictures, tables, words
from bayesmed.report.answer import answer
from bayesmed.report.check_pictures import check_pictures
from bayesmed.report.content import Block, Bullets, Content, Paragraph, Section
from bayesmed.report.findings import Findings
from bayesmed.report.ledger import ABOUT, assumptions
from bayesmed.report.model_words import INTERACTION, WITH_INTERACTION, model_in_words
from bayesmed.report.moves import moves
from bayesmed.report.origin import made, method_papers, origin
from bayesmed.report.region_picture import region_picture
from bayesmed.report.trials.compose import compose_trial


def compose(found: Findings) -> Content:
    """Compose everything a report says, from the answer down to how to make it again.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> from bayesmed.report.findings import findings
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> fitted = fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1)
    >>> [section.slug for section in compose(findings(fitted)).sections]
    ['picture', 'effects', 'basis', 'moves', 'classical', 'prediction', 'computation', 'data',
     'origin']
    """
    if is_trial(found.fit):
        return compose_trial(found, found.fit)
    fit, framing = found.fit, found.framing
    data = fit.data
    sections = (
        _picture(found, fit),
        _effects(found, fit),
        _basis(found, fit),
        moves(found, fit),
        _classical(fit),
        _prediction(found, fit),
        _computation(found, fit),
        _data(fit),
        origin(fit, method_papers(fit, found.ledger), framing.published),
    )
    return Content(
        title=framing.title.strip() or words.title(data),
        question=framing.question.strip() or words.question(data),
        answer=answer(found),
        sections=sections,
        made=made(fit),
    )


def _picture(found: Findings, fit: Fit) -> Section:
    blocks = [pictures.scatter(fit, answer(found))]
    if fit.model.slope == "random":
        blocks.append(pictures.fan(fit))
    return Section("picture", "The sites", tuple(blocks))


def _effects(found: Findings, fit: Fit) -> Section:
    name = ACME if fit.data.n_mediators == 1 else of_all(ACME)
    row = found.effects[found.effects["effect"] == name].iloc[0]
    acme = float(row["mean"]), float(row["q2.5"]), float(row["q97.5"])
    blocks: list[Block] = [*region_picture(found), pictures.forest(fit, acme)]
    by_mediator = tables.by_mediator(found, fit)
    if by_mediator is not None:
        blocks += [by_mediator, Paragraph(_about_slopes(fit))]
    blocks += [tables.averages(found, fit), Paragraph(_about_averages(found, fit))]
    blocks += [Paragraph(text) for text in found.notes]
    blocks.append(tables.site_effects(found, fit))
    of_covariates = tables.covariates(found, fit)
    if of_covariates is not None:
        blocks.append(of_covariates)
    return Section("effects", "Effects", tuple(blocks))


def _about_averages(found: Findings, fit: Fit) -> str:
    """Say over what averages are, and how to read ratios and effects."""
    weighted = "equally" if _equal_weights(fit) else "by the weights in the data table"
    text = (
        f"Averages over the sites count these sites {weighted}; those in the population of sites "
        "are for a site drawn anew."
    )
    if fit.model.covariates:
        text += " Its covariates have on average the means over the rows of the data."
    if found.effects["effect"].isin(SHARES).any():
        text += (
            " Shares are ratios whose denominator may be near zero, so they have a median and an "
            "interval but no mean; where effects that add up to the total have opposite signs, "
            "they lie outside 0 to 1."
        )
    if isinstance(fit.model, MultiSiteIV):
        return text
    return f"{text} {WITH_INTERACTION if fit.model.interaction else INTERACTION}"


def _about_slopes(fit: Fit) -> str:
    """Say how slopes were averaged."""
    text = (
        "Slopes are averaged in two ways: over sites as they are, and weighted by the effect of "
        "treatment on the mediator there (compliance). The second is what a unit of the mediator "
        "does where treatment brings it about: the compliance-weighted average treatment effect "
        "(CWATE) of Reardon and Raudenbush (2013, equation 5), with sites for persons."
    )
    if fit.model.slope == "random" and fit.model.related(fit.data) != "effects":
        text += (
            " In the population of sites the two are the same, because slopes are assumed to be "
            "unrelated to mediator effects."
        )
    return text


def _equal_weights(fit: Fit) -> bool:
    return float(fit.data.weight.max() - fit.data.weight.min()) < 1e-12


def _basis(found: Findings, fit: Fit) -> Section:
    blocks: list[Block] = [Paragraph(text) for text in model_in_words(fit)]
    stated = tuple(a.strip() for a in found.framing.assumptions if a.strip())
    if stated:
        blocks += [Paragraph("The analyst states that the answer relies on:"), Bullets(stated)]
    blocks += [Paragraph(ABOUT), assumptions(found.ledger)]
    about_data = tuple(c for c in found.checks if not c.convergence)
    blocks.append(tables.checks(about_data, "What was checked about data and model"))
    return Section("basis", "What the answer rests on", tuple(blocks))


def _classical(fit: Fit) -> Section:
    return Section("classical", "Beside the classical estimators", comparison.beside(fit))


def _prediction(found: Findings, fit: Fit) -> Section:
    blocks = [pictures.predictive_tables(fit), pictures.predictive_sites(fit)]
    blocks += check_pictures(found.checks)
    return Section("prediction", "Would such data come from this model?", tuple(blocks))


def _computation(found: Findings, fit: Fit) -> Section:
    blocks: list[Block] = []
    if "quadrature" in fit.tree.children:
        text = (
            "The posterior was integrated by deterministic quadrature: means and quantiles of "
            "parameters come from it. Effects and pictures come from independent draws, so that "
            "the last digits of one quantity may differ between tables."
        )
        blocks.append(Paragraph(text))
    elif not found.converged:
        blocks.append(Paragraph("The computation did not converge: do not use these numbers."))
    own = tuple(c for c in found.checks if c.convergence)
    blocks.append(tables.checks(own, "Checks of the computation"))
    blocks.append(tables.chain_quality(found, fit))
    if "quadrature" not in fit.tree.children:
        blocks.append(pictures.ranks(fit))
    return Section("computation", "Was it computed well?", tuple(blocks))


def _data(fit: Fit) -> Section:
    data = fit.data
    text = (
        f"{data.n_rows} rows from {data.source}; effects on {data.outcome}: {data.outcome_scale}."
    )
    if not data.covariance_given:
        text += " The sampling covariance of each site's estimates was not given: taken as 0."
    made = [data.derivation] if data.derivation.strip() else []
    texts = [Paragraph(line) for line in (text, *made)]
    return Section("data", "The data", (*texts, tables.data(fit)))
