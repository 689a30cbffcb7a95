"""How to cite a result, how it was computed, and how to compute it again."""

from __future__ import annotations

from collections.abc import Sequence

from bayesmed.checks import REFERENCES, Ledger, Paper
from bayesmed.core import provenance
from bayesmed.generative import MultiSiteIV
from bayesmed.inference import Fit, TrialFit
from bayesmed.report.content import Block, Bullets, Code, Paragraph, Section, Table

TITLE = "Citing this, and making it again"
IN_PYTHON = "In Python, where the fit is kept: save_fit or write_results, or bayesmed fit"
AT_A_PROMPT = "The reports alone, of a folder that write_results or bayesmed fit wrote"
AGAIN = """import bayesmed as bm

kept = bm.load_fit("posterior.nc")
again = bm.fit(kept.model, kept.data, sampler=kept.sampler, seed=kept.seed)
bm.report(again, "report.html")"""


def made(fit: Fit | TrialFit) -> str:
    """Return by what, when and with which seed a fit was computed."""
    attrs = fit.tree.attrs
    version, created = attrs.get("version_bayesmed", "?"), attrs.get("created_at", "?")
    return f"Computed by bayesmed {version} on {created}, seed {fit.seed}."


def origin(fit: Fit | TrialFit, papers: Sequence[Paper], published: str) -> Section:
    """Return the section that says what to cite and how to make a fit again.

    Parameters
    ----------
    fit
        The fit.
    papers
        Those its method comes from.
    published
        Where data and design were published, as the card has it; empty where unknown.
    """
    blocks: list[Block] = [Bullets(citations(fit, papers, published)), _computed(fit)]
    blocks += [
        Paragraph("The same data, model, settings and seed give the same draws again."),
        Code(IN_PYTHON, AGAIN),
        Code(AT_A_PROMPT, "bayesmed report FOLDER"),
    ]
    return Section("origin", TITLE, tuple(blocks))


def method_papers(fit: Fit, found: Ledger) -> tuple[Paper, ...]:
    """Return the papers a model of sites comes from, of those whose assumptions it shares."""
    own = ("sites",) if isinstance(fit.model, MultiSiteIV) else ("fu",)
    return tuple(p for p in found.papers if p in own)


def citations(fit: Fit | TrialFit, papers: Sequence[Paper], published: str) -> tuple[str, ...]:
    """Return the software, the papers of the method, and the source of the data, to be cited."""
    version = fit.tree.attrs.get("version_bayesmed", provenance.versions()["bayesmed"])
    software = (
        "The bayesmed contributors. bayesmed: Bayesian mediation analysis from treatment effects "
        f"that vary across sites. Version {version}."
    )
    method = dict.fromkeys(REFERENCES[p] for p in papers)
    lines = [line.strip() for line in published.splitlines() if line.strip()]
    return (software, *method, *lines)


def _computed(fit: Fit | TrialFit) -> Table:
    sampler, attrs = fit.sampler, fit.tree.attrs
    rows = {
        "Computed": str(attrs.get("created_at", "unknown")),
        "Model": repr(fit.model),
        "Seed": str(fit.seed),
        "Engine": sampler.engine,
        "Draws": f"{sampler.chains} chains of {sampler.draws}",
    }
    if sampler.engine == "nuts":
        rows["Tuning draws"] = (
            f"{sampler.tune} per chain, target acceptance {sampler.target_accept}"
        )
    rows["Data"] = fit.data.source
    rows["Data, SHA-256"] = fit.data.fingerprint
    for key, value in attrs.items():
        if str(key).startswith("version_"):
            rows[str(key).removeprefix("version_")] = str(value)
    return Table("How this was computed", ("What", "Value"), tuple(rows.items()), texts=(0, 1))
