"""Reports of the variants of the model: each says what is its own."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from bayesmed.checks import ledger
from bayesmed.checks.ledger import STATUSES
from bayesmed.core.names import MEDIATOR, SITE
from bayesmed.core.numbers import number
from bayesmed.core.words import joined
from bayesmed.data import SiteEstimates
from bayesmed.effects import effects
from bayesmed.effects.along_mediator import along_mediator
from bayesmed.effects.partial_effects import partial_effects
from bayesmed.report import figures, write_results
from bayesmed.report.answer import answer
from bayesmed.report.compose import compose
from bayesmed.report.content import Content, Table
from bayesmed.report.figures.predictive import predictive_statistics
from bayesmed.report.findings import findings
from bayesmed.report.markdown import to_markdown
from bayesmed.report.model_words import model_in_words
from bayesmed.report.pictures import fan
from bayesmed.report.tables import priors
from tests.variants import variant_fit


@cache
def content(name: str) -> Content:
    return compose(findings(variant_fit(name)))


def table(found: Content, caption: str) -> Table:
    return next(t for t in found.tables if t.caption.startswith(caption))


@pytest.mark.parametrize("name", ["constant", "two mediators, random", "multi-site IV, kappa"])
def test_assumptions_are_those_of_the_ledger(name: str) -> None:
    rows = table(content(name), "What the answer assumes").rows
    found = ledger(variant_fit(name))
    assert len(rows) == len(found.lines)
    for row, line in zip(rows, found.by_importance(), strict=True):
        assert row[0].startswith(line.assumption.statement.removesuffix("."))
        assert line.assumption.cited(found.papers) in row[0]
        assert row[1] == line.status
        assert (row[2], row[4]) == (line.reason, line.consequence)
        assert row[3].startswith("–" if line.number is None else number(line.number))


def test_the_table_of_assumptions_begins_with_what_matters() -> None:
    statuses = [
        row[1]
        for row in table(content("multi-site IV, compliance"), "What the answer assumes").rows
    ]
    order = [STATUSES.index(status) for status in statuses]
    assert order == sorted(order)
    assert len(set(order)) > 3
    said = [line for line in markdown_text(content("constant")).splitlines() if "R&amp;R" in line]
    assert any("R&amp;R sites: Reardon and Raudenbush (2013), section 4" in line for line in said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("constant", ["β = θ + δγ", "θ ~ Normal(μ_θ, σ_θ²)"]),
        ("random", ["δ_s ~ Normal(δ, σ_δ²)"]),
        ("polynomial", ["δ_s = δ₀ + δ₁γ + δ₂γ²", "E δ is not δ₀"]),
        ("student_t", ["Student-t(ν, μ_θ, σ_θ)", "scale σ_θ", "degrees of freedom"]),
        ("covariates", ["(urban, year) are centred at their means over the rows", "μ_θ + ζx"]),
        ("shared controls", ["the covariance of the whole block was used"]),
        ("two mediators", ["β = θ + Σ δγ", "Normal(μ_γ, Ω)"]),
        ("random without direct effect", ["β = δγ", "no direct effect"]),
        (
            "multi-site IV, three mediators",
            ["Reardon and Raudenbush (2013, equation 11)", "β = Σ δγ", "δ_s ~ Normal(δ, σ_δ²)"],
        ),
        ("multi-site IV, compliance", ["(γ_s, δ_s) are jointly normal"]),
        ("multi-site IV, kappa", ["β = Σ δγ + κ", "assumed to be 0.3"]),
        ("interaction", ["pure direct effect plus", "The total indirect effect of a site is δγ"]),
    ],
)
def test_the_model_is_put_in_words(name: str, said: list[str]) -> None:
    text = "\n".join(model_in_words(variant_fit(name)))
    for words in said:
        assert words in text


def test_arms_taken_as_independent_are_told() -> None:
    fit = variant_fit("shared controls")
    data = fit.data
    kept = {
        name: getattr(data, name)
        for name in ("mediator_effect", "total_effect", "cov", "site", "arm", "mediators")
    }
    with pytest.warns(UserWarning, match="taken as independent"):
        apart = SiteEstimates.from_arrays(**kept)
    with pytest.warns(UserWarning, match="taken as independent"):
        unknown = SiteEstimates.from_arrays(**kept, block=data.site)
    for other, words in (
        (apart, "Rows of one site were taken as independent"),
        (unknown, "Some rows share a control group, but"),
    ):
        assert words in "\n".join(model_in_words(replace(fit, data=other)))


def test_words_of_an_interaction_are_total_and_pure() -> None:
    found = content("interaction")
    rows = "\n".join(row[0] for row in table(found, "Average effects").rows)
    assert "Total indirect effect through effort, over the sites (ACME)" in rows
    assert "Pure direct effect, over the sites" in rows
    assert "Total indirect effect" in table(found, "Effects by site").columns
    assert "(the total indirect effect)" in found.answer.sentence
    plain = content("constant")
    assert "Pure" not in "\n".join(row[0] for row in table(plain, "Average effects").rows)


def test_the_answer_of_several_mediators_names_the_whole_and_each() -> None:
    fit = variant_fit("two mediators")
    said = answer(findings(fit))
    draws = fit.tree["site_effects"]["indirect_effect"].mean(SITE)
    whole = float(draws.sum(MEDIATOR).mean())
    assert f"through LDL and HDL together is {whole:.3g} [" in said.sentence
    for i, name in enumerate(("LDL", "HDL")):
        assert f"{float(draws[..., i].mean()):.3g} [" in said.sentence
        assert f"through {name}" in said.sentence
        assert any(row.label.endswith(f"per unit of {name}") for row in said.rows)
    assert any(row.label.endswith("through all of them") for row in said.rows)
    without = answer(findings(variant_fit("two mediators without direct effect")))
    assert "all of it through LDL and HDL by assumption" in without.sentence
    assert not [row for row in without.rows if "direct effect, by other" in row.label]


def test_the_answer_about_varying_slopes_is_about_their_average() -> None:
    fit = variant_fit("polynomial")
    first = answer(findings(fit)).rows[0]
    assert first.label == "Average slope: score per unit of effort"
    assert first.middle == pytest.approx(float(fit.tree["posterior"]["average_slope"].mean()))
    assert answer(findings(variant_fit("random"))).rows[0].label.startswith("Average slope")


def test_the_answer_of_an_iv_model_says_what_is_not_indirect_effects() -> None:
    plain = answer(findings(variant_fit("multi-site IV, three mediators")))
    assert "through LDL, HDL and CRP by assumption: " in plain.sentence
    # It would be the total effect once more.
    assert not [row for row in plain.rows if "all of them" in row.label]
    columns = table(content("multi-site IV, three mediators"), "Effects by site").columns
    assert "Indirect effect, all" not in columns
    kappa = answer(findings(variant_fit("multi-site IV, kappa")))
    assert "and κ, what mediator effects and slopes of persons add" in kappa.sentence
    assert [row for row in kappa.rows if "all of them" in row.label]


def test_slopes_are_averaged_with_and_without_compliance() -> None:
    name = "multi-site IV, compliance"
    found, summary = content(name), effects(variant_fit(name)).table()
    rows = {row[0]: row[1:] for row in table(found, "What treatment does to mediators").rows}
    for label, effect in (
        ("over the sites", "cwate"),
        ("in the population", "superpopulation_cwate"),
    ):
        (cells,) = (v for k, v in rows.items() if "CWATE" in k and label in k)
        own = summary[summary["effect"] == effect]
        assert [cell.split(" [")[0] for cell in cells] == [number(x) for x in own["q50"]]
    assert "the two are the same" not in markdown_text(found)
    assert "act in parallel. If one mediator changes another" in markdown_text(found)
    # Unrelated to mediator effects by assumption: weighted or not, the population's is the same.
    other = content("multi-site IV, three mediators")
    rows = dict.fromkeys(row[0] for row in table(other, "What treatment does to mediators").rows)
    assert not [label for label in rows if "CWATE" in label and "population" in label]
    assert "the two are the same" in markdown_text(other)
    with pytest.raises(StopIteration):
        table(content("constant"), "What treatment does to mediators")


def markdown_text(found: Content) -> str:
    return to_markdown(found).replace("\\", "")


def test_priors_stand_by_entry_with_their_origin() -> None:
    rows = priors(variant_fit("two mediators")).rows
    labels = [row[0] for row in rows]
    assert "Slope δ: score per unit of LDL" in labels
    assert "Slope δ: score per unit of HDL" in labels
    assert rows[-1] == (
        "Correlation Ω of effects on LDL and HDL",
        "uniform over correlation matrices",
        "fixed",
    )
    chosen = {row[0]: row[2] for row in priors(variant_fit("correlation prior")).rows}
    assert chosen["Correlation ρ of direct effects with effects on effort"] == "set by the user"


def test_effects_of_covariates_have_a_table() -> None:
    found = table(content("covariates"), "How direct effects differ")
    assert [row[0] for row in found.rows] == ["urban", "year"]
    posterior = variant_fit("covariates").tree["posterior"]["covariate_effect"]
    assert found.rows[0][2] == f"{float(posterior.sel(covariate='urban').mean()):.3g}"
    assert "urban" in table(content("covariates"), "Estimates as used").columns


def test_results_hold_every_entry(tmp_path: Path) -> None:
    fit = variant_fit("two mediators, random")
    written = write_results(fit, tmp_path / "out")
    found = pd.read_csv(written.directory / "parameters.csv", keep_default_na=False)
    assert {"mediator", "other_mediator", "covariate"} <= set(found.columns)
    assert set(found.query("name == 'slope_sd'")["mediator"]) == {"LDL", "HDL"}
    corr = found.query("name == 'mediator_effect_corr'")
    assert corr[["mediator", "other_mediator"]].to_numpy().tolist() == [["LDL", "HDL"]]
    assert found.query("name == 'covariate_effect'")["covariate"].tolist() == ["urban"]
    effects = pd.read_csv(written.directory / "effects.csv", keep_default_na=False)
    assert len(effects.query("effect == 'acme_all_mediators'")) == 1
    run = json.loads((written.directory / "run.json").read_text(encoding="utf-8"))
    assert run["model"]["slope"] == "random"
    assert run["model"]["covariates"] == ["urban"]
    assert "slope_sd[HDL]" in run["priors_in_data_units"]


@pytest.mark.parametrize("name", ["two mediators", "multi-site IV, three mediators"])
def test_the_scatter_of_several_mediators_is_of_partial_effects(name: str) -> None:
    fit = variant_fit(name)
    found = partial_effects(fit)
    panels = figures.site_scatter(fit).axes
    assert len(panels) == fit.data.n_mediators
    for i, axes in enumerate(panels):
        own = found.isel(mediator=i)
        for label, x, y in (
            ("Estimate", "mediator_effect_estimate", "partial_effect_estimate"),
            ("Posterior mean", "mediator_effect", "partial_effect"),
        ):
            points = next(line for line in axes.lines if line.get_label().startswith(label))
            np.testing.assert_allclose(points.get_xdata(), own[x])
            np.testing.assert_allclose(points.get_ydata(), own[y])
        _, up = [c for c in axes.collections if isinstance(c, LineCollection)][:2]
        lengths = [np.ptp(segment[:, 1]) for segment in up.get_segments()]
        order = np.argsort(own["mediator_effect_estimate"].to_numpy(), kind="stable")
        np.testing.assert_allclose(lengths, 2 * 1.96 * own["partial_effect_se"].to_numpy()[order])
        line = next(x for x in axes.lines if x.get_label().startswith("Posterior median"))
        expected = along_mediator(fit, i, line.get_xdata())["line"]
        np.testing.assert_allclose(line.get_ydata(), expected.sel(quantile=0.5))
    caption = content(name).pictures[0].caption
    assert "through the other mediators on average" in caption
    corr = found["error_corr"].to_numpy()
    assert f"correlations from {number(corr.min())} to {number(corr.max())}" in caption


@pytest.mark.parametrize("name", ["random", "multi-site IV", "multi-site IV, three mediators"])
def test_sites_fan_out_where_slopes_differ(name: str) -> None:
    fit = variant_fit(name)
    slugs = [picture.slug for picture in content(name).pictures]
    assert slugs[:2] == ["scatter", "fan"]
    panels = figures.fan(fit).axes
    assert len(panels) == fit.data.n_mediators
    for i, axes in enumerate(panels):
        assert axes.get_xlim()[0] < 0 < axes.get_xlim()[1]
        shown = {str(c.get_label()): c for c in axes.collections}
        spread = shown["95 % of true effects"].get_paths()[0].vertices
        x = np.unique(spread[:, 0])
        found = along_mediator(fit, i, x)
        ends = found["sites"].sel(quantile=[0.025, 0.975]).to_numpy()
        for k in (0, x.size // 2, x.size - 1):
            at = spread[spread[:, 0] == x[k], 1]
            np.testing.assert_allclose([at.min(), at.max()], ends[:, k])
        dashed = next(line for line in axes.lines if line.get_label() == "95 % of estimates")
        np.testing.assert_allclose(dashed.get_ydata(), found["estimates"].sel(quantile=0.025))
    assert "fan" not in [p.slug for p in content("constant").pictures]


def test_estimates_have_no_band_where_errors_differ() -> None:
    fit = variant_fit("multi-site IV")
    noisy = fit.data.cov.copy()
    noisy[0] *= 5
    other = replace(fit, data=replace(fit.data, cov=noisy))
    labels = [str(line.get_label()) for line in figures.fan(other).axes[0].lines]
    assert "95 % of estimates" not in labels
    assert "Dashed" not in fan(other).caption
    assert "Dashed" in fan(fit).caption


def test_curves_bend_and_bands_are_drawn_where_slopes_vary() -> None:
    for name, points, shaded in (("constant", 2, 0), ("random", 2, 1), ("polynomial", 60, 1)):
        (axes,) = figures.site_scatter(variant_fit(name)).axes
        lines = next(
            c
            for c in axes.collections
            if isinstance(c, LineCollection) and str(c.get_label()).startswith("Posterior draws")
        )
        assert {len(s) for s in lines.get_segments()} == {points}
        bands = [c for c in axes.collections if str(c.get_label()).startswith("95 %")]
        assert len(bands) == shaded


def test_predictions_are_summarised_for_every_mediator() -> None:
    fit = variant_fit("two mediators")
    found = {(s.title, s.mediator): s for s in predictive_statistics(fit)}
    design = np.column_stack([np.ones(24), fit.data.mediator_effect])
    slopes = np.linalg.lstsq(design, fit.data.total_effect, rcond=None)[0]
    for i, name in enumerate(("LDL", "HDL")):
        assert found["Least-squares slope", name].observed == pytest.approx(slopes[1 + i])
        spread = found["Spread of the estimated mediator effects", name]
        assert spread.observed == pytest.approx(fit.data.mediator_effect[:, i].std())
    residual = fit.data.total_effect - design @ slopes
    around = found["Spread around the least-squares line", ""]
    assert around.observed == pytest.approx(residual.std())
    assert len(figures.predictive_sites(fit).axes) == 3


def test_names_are_listed_as_in_a_sentence() -> None:
    assert joined(["a", "b", "c"]) == "a, b and c"
