"""By what a fit was made, and how to make it again."""

from __future__ import annotations

from bayesmed.inference import Fit, TrialFit
from bayesmed.report.content import Paragraph, Section, Table

__all__ = ["made", "origin"]


def made(fit: Fit | TrialFit) -> str:
    """Return by what, when and with which seed a fit was computed."""
    attrs = fit.tree.attrs
    version, created = attrs.get("version_bayesmed", "?"), attrs.get("created_at", "?")
    return f"Computed by bayesmed {version} on {created}, seed {fit.seed}."


def origin(fit: Fit | TrialFit) -> Section:
    """Return the section that says how to make a fit again."""
    sampler, attrs = fit.sampler, fit.tree.attrs
    rows = {
        "Computed": str(attrs.get("created_at", "unknown")),
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
    text = "The same data, model, settings and seed give the same draws again."
    table = Table("How this was computed", ("What", "Value"), tuple(rows.items()), texts=(0, 1))
    return Section("origin", "Making it again", (table, Paragraph(text)))
