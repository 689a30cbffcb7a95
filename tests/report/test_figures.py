"""Pictures show the numbers they are meant to show."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy import stats

from bayesmed.inference import Fit
from bayesmed.report import figures
from bayesmed.report.figures.columns import evenly
from bayesmed.report.figures.convergence import BINS, rank_histogram
from bayesmed.report.figures.predictive import predictive_statistics
from bayesmed.report.figures.prior_posterior import density, window
from bayesmed.report.figures.site_scatter import limits
from bayesmed.report.plain import shortened
from tests.report.fits import HOSTILE, fitted, simulated


def labelled(figure: Figure, label: str) -> np.ndarray:
    lines = [line for axes in figure.axes for line in axes.lines if line.get_label() == label]
    return np.asarray(lines[0].get_xydata())


def test_the_scatter_shows_estimates_bars_means_and_lines(plain_fit: Fit) -> None:
    figure = figures.site_scatter(plain_fit)
    data = plain_fit.data
    seen = np.column_stack([data.mediator_effect[:, 0], data.total_effect])
    np.testing.assert_allclose(labelled(figure, "Estimate, 95 % intervals"), seen)
    effects = plain_fit.tree["site_effects"]
    means = [
        effects[n].mean(("chain", "draw")).values.ravel()
        for n in ("mediator_effect", "total_effect")
    ]
    np.testing.assert_allclose(
        labelled(figure, "Posterior mean of the site"), np.column_stack(means)
    )
    (axes,) = figure.axes
    bars, up, draws = [c for c in axes.collections if isinstance(c, LineCollection)][:3]
    lengths = [np.ptp(s, axis=0) for s in (*bars.get_segments(), *up.get_segments())]
    widths = np.array([length.max() for length in lengths])
    expected = 2 * 1.96 * np.concatenate([data.mediator_se[:, 0], data.total_effect_se])
    np.testing.assert_allclose(widths, expected)
    assert len(draws.get_segments()) in (8, 50)
    assert labelled(figure, "Posterior median at each γ").shape == (60, 2)
    assert labelled(figure, "Least squares (OLS)").shape == (2, 2)


def test_the_forest_shows_every_site_by_size_and_the_average(plain_fit: Fit) -> None:
    (axes,) = figures.forest(plain_fit).axes
    draws = plain_fit.tree["site_effects"]["indirect_effect"].isel(mediator=0)
    means = draws.mean(("chain", "draw")).values
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["Average (ACME)", *np.array(list("ABCDEFGH"))[np.argsort(means)]]
    medians = np.sort(axes.lines[1].get_xdata())
    np.testing.assert_allclose(medians, np.sort(draws.median(("chain", "draw")).values))
    average = draws.mean("site").values.ravel()
    diamond = axes.patches[-1].get_xy()[:, 0]
    assert diamond.min() == pytest.approx(np.quantile(average, 0.025))
    assert diamond.max() == pytest.approx(np.quantile(average, 0.975))


def test_a_forest_of_many_sites_shows_sixty_with_both_ends() -> None:
    fit = fitted(simulated(200), draws=50)
    (axes,) = figures.forest(fit).axes
    means = fit.tree["site_effects"]["indirect_effect"].mean(("chain", "draw")).values.ravel()
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert len(labels) == 61
    assert labels[1] == str(np.argmin(means) + 1)
    assert labels[-1] == str(np.argmax(means) + 1)
    assert "60 of 200 sites" in axes.get_xlabel().replace("\n", " ")


def test_every_parameter_has_a_panel_with_prior_and_posterior(plain_fit: Fit) -> None:
    shown = [axes for axes in figures.prior_posterior(plain_fit).axes if axes.get_visible()]
    assert len(shown) == len(plain_fit.tree["posterior"].data_vars)
    prior = plain_fit.model.priors_for(plain_fit.data)["slope"]
    after, before = shown[0].lines
    assert (after.get_label(), before.get_label()) == ("Posterior", "Prior")
    x, y = before.get_xdata(), before.get_ydata()
    np.testing.assert_allclose(y, np.exp(prior.log_density(x)))
    mass = np.trapezoid(after.get_ydata(), after.get_xdata())
    assert mass == pytest.approx(1, abs=0.02)


def test_predicted_tables_are_summarised_like_the_actual_one(plain_fit: Fit) -> None:
    found = {s.title: s for s in predictive_statistics(plain_fit)}
    data = plain_fit.data
    line = stats.linregress(data.mediator_effect[:, 0], data.total_effect)
    slope = found["Least-squares slope"]
    assert slope.observed == pytest.approx(line.slope)
    new = plain_fit.tree["posterior_predictive"]
    one = new.isel(chain=1, draw=7)
    again = stats.linregress(
        one["mediator_effect_estimate"].values.ravel(), one["total_effect_estimate"].values
    )
    assert slope.predicted[new.sizes["draw"] + 7] == pytest.approx(again.slope)
    residual = data.total_effect - line.intercept - line.slope * data.mediator_effect[:, 0]
    around = found["Spread around the least-squares line"]
    assert around.observed == pytest.approx(residual.std())
    assert 0.01 < around.p < 0.99


def test_pictures_of_predictions_show_the_observed_values(plain_fit: Fit) -> None:
    figure = figures.predictive_tables(plain_fit)
    lines = [axes.lines[0].get_xdata()[0] for axes in figure.axes[1:]]
    np.testing.assert_allclose(lines, [s.observed for s in predictive_statistics(plain_fit)])
    left, right = figures.predictive_sites(plain_fit).axes
    order = np.argsort(plain_fit.data.total_effect)
    np.testing.assert_allclose(right.lines[0].get_xdata(), plain_fit.data.total_effect[order])
    np.testing.assert_allclose(left.lines[0].get_xdata(), plain_fit.data.mediator_effect[order, 0])


def test_ranks_of_a_stray_chain_stand_out(sampled_fit: Fit) -> None:
    draws = np.random.default_rng(3).normal(size=(4, 500))
    even = rank_histogram(draws)
    assert even.shape == (4, BINS)
    np.testing.assert_allclose(even.mean(axis=1), 1)
    np.testing.assert_allclose(even.mean(axis=0), 1)
    draws[0] += 10
    assert rank_histogram(draws)[0, :15].sum() == 0
    panels = [axes for axes in figures.ranks(sampled_fit).axes if axes.get_visible()]
    assert len(panels) == len(sampled_fit.model.parameters) + 1
    assert "Energy" in panels[-1].get_title(loc="left")


def test_names_are_drawn_as_they_are_never_as_mathematics(hostile_fit: Fit) -> None:
    figure = figures.forest(hostile_fit)
    (axes,) = figure.axes
    labels = axes.get_yticklabels()
    assert {t.get_text() for t in labels[1:]} == {shortened(name.strip(), 34) for name in HOSTILE}
    assert not any(t.get_parse_math() for t in (*labels, axes.xaxis.label, axes.yaxis.label))


def test_a_picture_leaves_no_trace_in_matplotlib(plain_fit: Fit) -> None:
    from matplotlib import pyplot as plt

    with mpl.rc_context({"font.size": 31.0, "text.parse_math": True}):
        figures.svg(figures.site_scatter(plain_fit), "x", "alternative")
        assert mpl.rcParams["font.size"] == 31.0
        assert mpl.rcParams["text.parse_math"] is True
    assert plt.get_fignums() == []


def test_the_showcase_is_a_picture_file(plain_fit: Fit, tmp_path: Path) -> None:
    path = tmp_path / "showcase.png"
    figure = figures.showcase(plain_fit)
    assert len(figure.axes) == 2
    figures.save_png(figure, path, dpi=50)
    assert path.read_bytes().startswith(b"\x89PNG")


@given(st.integers(1, 3000), st.integers(2, 100))
def test_evenly_takes_both_ends_and_never_too_many(n: int, most: int) -> None:
    found = evenly(n, most)
    assert found[0] == 0
    assert found[-1] == n - 1
    assert found.size == min(n, most)
    assert np.all(np.diff(found) > 0)


def test_limits_show_every_estimate_and_bound_what_noise_can_do() -> None:
    estimate = np.array([0.0, 1.0, 2.0])
    low, high = limits(estimate, np.array([0.1, 0.1, 50.0]))
    assert low < -0.196
    assert 2.0 < high < 4.0
    low, high = limits(np.zeros(2), np.zeros(2))
    assert low < 0 < high


def test_a_density_does_not_leak_over_the_end_of_its_support() -> None:
    draws = np.abs(np.random.default_rng(6).normal(size=20_000))
    x = np.linspace(0, 4, 200)
    np.testing.assert_allclose(density(draws, x, (0, np.inf)), stats.halfnorm.pdf(x), atol=0.03)


def test_a_panel_shows_the_posterior_whatever_the_prior() -> None:
    rng = np.random.default_rng(8)
    narrow, wide = rng.normal(3, 0.1, 4000), rng.normal(0, 1e6, 4000)
    low, high = window(narrow, wide, (-np.inf, np.inf))
    assert low < narrow.min() + 0.05
    assert high > narrow.max() - 0.05
    assert high - low < 5
    assert window(np.abs(narrow), np.abs(wide), (0, np.inf))[0] >= 0
