"""Why lines through the origin lean to the slope within sites: sampling errors go together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesmed.classical import ClassicalEstimate
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.effects.comparison import Reason
from bayesmed.effects.lines import Products, products_through_origin
from bayesmed.effects.reference import WORTH_SAYING, Reference, Setting

POSITIVE = 1e-12


def products_of(setting: Setting, estimate: ClassicalEstimate) -> Products | None:
    """Return what a line through the origin is made of, where both errors and theirs are known."""
    data = setting.data
    if setting.intercept or not data.covariance_given or not data.mediator_se.all():
        return None
    return products_through_origin(data, estimate.name)


def weak_instruments(
    setting: Setting, reference: Reference, products: Products, p: int
) -> Iterator[Reason]:
    r"""Yield how far a line through the origin is pulled to the slope within sites and arms.

    With Z of `bayesmed.effects.lines.Products` and N its noise the pull on a slope
    :math:`\delta` is :math:`Z^{-1}N(b-\delta)`, b being the slope
    :math:`N_{\gamma\gamma}^{-1}N_{\gamma\beta}` of the errors, the one that persons have within
    sites and arms; for one mediator :math:`(b-\delta)/F`.
    """
    square, noise = products.estimates[:-1, :-1], products.noise[:-1, :-1]
    if np.linalg.eigvalsh(_scaled(noise))[0] < POSITIVE:
        return
    within = np.linalg.solve(noise, products.noise[:-1, -1])
    kept = np.linalg.solve(square, noise)
    pull = float((kept @ (within - reference.slope))[p])
    if abs(pull) <= WORTH_SAYING * reference.sd[p]:
        return
    data, slope, share = setting.data, float(reference.slope[p]), float(kept[p, p])
    of = f" of {data.mediators[p]}" if data.n_mediators > 1 else ""
    how = f"{share:.2g} of the way" if data.n_mediators > 1 else f"1/F = {share:.2g} of the way"
    yield Reason(
        "weak_instruments",
        "The errors of a site's estimates go together and pass for effects: they pull a line "
        f"through the origin towards the slope{of} within sites and arms, "
        f"{number(float(within[p]))}, by {how}; a slope of {number(slope)} would look like "
        f"{number(slope + pull)}.",
        share,
    )


def _scaled(noise: Floats) -> Floats:
    size = np.sqrt(np.diagonal(noise))
    return np.asarray(noise / np.outer(size, size))
