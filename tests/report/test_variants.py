"""A report of every variant of the model: nothing fails, and each says what is its own."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from bayesmed.core.names import MEDIATOR, SITE
from bayesmed.data import SiteEstimates
from bayesmed.report import figures, write_results
from bayesmed.report.answer import answer
from bayesmed.report.compose import compose
from bayesmed.report.content import Content, Table
from bayesmed.report.figures.curve import band, curve
from bayesmed.report.figures.predictive import predictive_statistics
from bayesmed.report.findings import findings
from bayesmed.report.html import to_html
from bayesmed.report.markdown import to_markdown
from bayesmed.report.model_words import assumptions, model_in_words
from bayesmed.report.tables import priors
from bayesmed.report.words import joined
from tests.variants import VARIANTS, variant_fit


@cache
def content(name: str) -> Content:
    return compose(findings(variant_fit(name)))


def table(found: Content, caption: str) -> Table:
    return next(t for t in found.tables if t.caption.startswith(caption))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_report_of_every_variant_is_whole(name: str) -> None:
    fit, found = variant_fit(name), content(name)
    text = to_html(found)
    assert text.count("<svg") >= len(found.pictures)
    for rectangle in found.tables:
        assert rectangle.rows
        assert {len(row) for row in rectangle.rows} == {len(rectangle.columns)}
    markdown = to_markdown(found)
    for words in (*assumptions(fit), *model_in_words(fit)):
        assert words.split("(")[0].split("_")[0].split(":")[0] in markdown.replace("\\", "")
    # Every parameter has words of its own.
    for row in table(found, "Posterior of the parameters").rows:
        assert row[0] != row[1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("constant", ["unrelated to direct effects (Fu 2023, Assumption 1)", "same at every site"]),
        ("interaction", ["would be without treatment is, site by site, unrelated"]),
        ("random", ["without relation to the mediator effect (Fu 2023, Proposition 1)"]),
        (
            "random without direct effect",
            ["through the mediator only (exclusion)", "Proposition 1"],
        ),
        ("polynomial", ["depends on the mediator effect as a parabola"]),
        ("correlation", ["have the correlation ρ = -0.4, which was assumed", "cannot check it"]),
        ("correlation prior", ["has the prior Uniform(lower = -0.5, upper = 0.5)", "can hardly"]),
        ("covariates", ["given the covariates, effects on the mediator", "in proportion"]),
        (
            "two mediators",
            ["effects on the mediators are unrelated", "counts for the last of them"],
        ),
    ],
)
def test_assumptions_are_those_of_the_model(name: str, said: list[str]) -> None:
    text = "\n".join(assumptions(variant_fit(name)))
    for words in said:
        assert words in text


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


def test_the_curve_is_that_of_the_parameters() -> None:
    x = np.linspace(-1, 2, 7)
    for name in ("constant", "polynomial"):
        posterior = variant_fit(name).tree["posterior"].isel(mediator=0)
        zero = 0 * posterior["slope"]
        a, b, c, d = (
            posterior.get(key, zero).to_numpy().reshape(-1, 1)
            for key in ("direct_effect_mean", "slope", "slope_linear", "slope_quadratic")
        )
        expected = a + b * x + c * x**2 + d * x**3
        np.testing.assert_allclose(curve(variant_fit(name), 0, x), expected, atol=1e-12)
    # With a correlation, total effects rise by the slope and by what direct effects add.
    posterior = variant_fit("correlation").tree["posterior"].isel(mediator=0)
    tilt = -0.4 * posterior["direct_effect_sd"] / posterior["mediator_effect_sd"]
    rise = np.diff(curve(variant_fit("correlation"), 0, np.array([0.0, 1.0])), axis=1)
    np.testing.assert_allclose(rise.ravel(), (posterior["slope"] + tilt).to_numpy().ravel())


@pytest.mark.parametrize("name", ["random", "polynomial", "student_t"])
def test_the_band_holds_95_percent_of_true_total_effects(name: str) -> None:
    fit = variant_fit(name)
    x = np.array([0.2, 1.5])
    low, high = band(fit, 0, x)
    posterior = fit.tree["posterior"].isel(mediator=0)
    rng = np.random.default_rng(3)
    shape = posterior["slope"].shape
    sd, slope_sd = posterior["direct_effect_sd"], posterior.get("slope_sd", 0.0)
    noise = rng.standard_t(4, shape) if name == "student_t" else rng.normal(size=shape)
    for i, at in enumerate(x):
        middle = curve(fit, 0, x)[:, i].reshape(shape)
        total = middle + (sd * noise + slope_sd * at * rng.normal(size=shape)).to_numpy()
        assert np.mean((low[i] < total) & (total < high[i])) == pytest.approx(0.95, abs=0.03)


def test_the_scatter_of_several_mediators_has_a_panel_for_each() -> None:
    fit = variant_fit("two mediators")
    panels = figures.site_scatter(fit).axes
    assert len(panels) == 2
    indirect = fit.tree["site_effects"]["indirect_effect"].mean(("chain", "draw")).to_numpy()
    for i, axes in enumerate(panels):
        points = next(x for x in axes.lines if x.get_label().startswith("Estimate"))
        np.testing.assert_allclose(points.get_xdata(), fit.data.mediator_effect[:, i])
        rest = fit.data.total_effect - indirect[:, 1 - i]
        np.testing.assert_allclose(points.get_ydata(), rest)
    caption = content("two mediators").pictures[0].caption
    assert "the other mediators has been taken off" in caption


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
