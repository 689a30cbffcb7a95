"""The verb draws what reports draw, by the same names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from bayesmed.core.errors import ModelError
from bayesmed.effects import compare
from bayesmed.generative import CovariateIV
from bayesmed.inference import Fit
from bayesmed.report import picture
from bayesmed.report.compose import compose
from bayesmed.report.content import Content, Picture
from bayesmed.report.findings import findings
from tests.browser.reports import (
    assumptions,
    calibrated,
    calibration,
    found_sites,
    priors,
    simulated_study,
    simulation,
    split_study,
    splits,
)
from tests.generative.covariate_ivs import data_for
from tests.report.fits import fitted, simulated
from tests.trial_fits import made
from tests.variants import variant_fit


def said(figure: Figure) -> list[tuple[str, ...]]:
    """What stands beside the axes of a figure, and how much is drawn in them."""
    return [
        (axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), str(len(axes.get_children())))
        for axes in figure.axes
    ]


@pytest.fixture(
    params=["random", "two mediators", "multi-site IV", "exact", "trial"], scope="module"
)
def fit(request: pytest.FixtureRequest) -> Fit:
    if request.param == "exact":
        return fitted(simulated(8))
    if request.param == "trial":
        return made(CovariateIV(), data_for("default"), shape=(2, 50))
    return variant_fit(request.param)


def test_every_picture_of_a_report_is_drawn_by_its_name(fit: Fit) -> None:
    content = compose(findings(fit))
    assert len(content.pictures) > 4
    for one in content.pictures:
        assert said(picture(fit, one.slug)) == said(one.draw()), one.slug
    assert said(picture(fit)) == said(content.pictures[0].draw())


def test_a_picture_alone_can_be_read_on_any_ground(plain_fit: Fit, tmp_path: Path) -> None:
    picture(plain_fit, "forest").savefig(tmp_path / "a.png")
    corner = imread(tmp_path / "a.png")[0, 0]
    assert corner.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "make", [found_sites, splits, calibration, simulation, priors, assumptions]
)
def test_pictures_of_studies_have_names_of_their_own(make: Callable[[], Content]) -> None:
    slugs = [one.slug for one in make().pictures]
    assert slugs
    assert len(set(slugs)) == len(slugs)


def test_studies_and_comparisons_are_drawn(plain_fit: Fit) -> None:
    def first(content: Content) -> Picture:
        return content.pictures[0]

    for what, content in (
        (split_study(), splits()),
        (split_study().repeated.found[0], found_sites()),
        (simulated_study(), simulation()),
        (calibrated(), calibration()),
    ):
        assert said(picture(what)) == said(first(content).draw())
    study = simulated_study()
    assert said(picture(study, "estimates")) != said(picture(study))
    assert said(picture(compare(plain_fit))) == said(picture(plain_fit, "estimators"))


def test_what_cannot_be_drawn_is_refused_with_a_remedy(plain_fit: Fit) -> None:
    for fit, name, problem, remedy in (
        (plain_fit, "scater", "no picture 'scater' of this Fit", "Did you mean 'scatter'"),
        (plain_fit, "zz", "no picture 'zz'", "'forest'"),
        (plain_fit, "fan", "no picture 'fan'", "'forest', 'estimators'"),  # slopes are the same
        (plain_fit, "ranks", "no picture 'ranks'", "'priors'"),  # there are no chains
        (plain_fit, 1, "1 is no name of a picture", "'scatter'"),
    ):
        with pytest.raises(ModelError) as caught:
            picture(fit, name)
        assert problem in caught.value.problem
        assert remedy in caught.value.remedy
    with pytest.raises(ModelError, match="nothing to show of a float"):
        picture(1.0)  # type: ignore[arg-type]
