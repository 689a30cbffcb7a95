"""Draws of the shares of types: from their prior, and from the coordinates they are sampled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.formulas.defiers import broken_stick, defying_types, place_of_types
from bayesmed.formulas.principal_types import principal_types
from bayesmed.formulas.type_shares import means_at, shares_of_types
from bayesmed.generative.principal_strata_data import DEFIER_POSITION, TYPE_POSITION

if TYPE_CHECKING:
    from bayesmed.generative.principal_strata import PrincipalStrata

__all__ = ["prior_shares", "shares_at_coordinates"]


def prior_shares(model: PrincipalStrata, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Draw shares of types, (n, S, T): uniform, or as concentrated as the model says."""

    def drawn(count: int) -> Floats:
        return rng.dirichlet(np.full(count, model.share_concentration), size=size)

    obeying = drawn(len(principal_types(model.monotone_in)))
    if not model.defiers:
        return obeying
    return _with_defiers(model, obeying, drawn(len(defying_types(model.monotone_in))))


def _with_defiers(model: PrincipalStrata, obeying: Floats, defying: Floats) -> Floats:
    """Return shares of all types from those among who obey and who defy monotonicity."""
    every = [(1.0 - model.defiers) * obeying, model.defiers * defying]
    return np.asarray(np.concatenate(every, axis=-1) @ place_of_types(model.monotone_in))


def shares_at_coordinates(
    model: PrincipalStrata, draws: dict[str, Floats], n: int, strata: int
) -> Floats:
    """Take the coordinates of shares out of the draws and return shares, (n, S, T)."""
    at = draws.pop(TYPE_POSITION).reshape(n, strata, -1)
    told = means_at(model.monotone_in, [at[..., i] for i in range(at.shape[-1])])
    found = shares_of_types(model.monotone_in, told.mean, told.rest).share
    # Widths are a little more than bounds allow (`type_shares.SMALLEST`).
    shares: Floats = np.maximum(np.stack(found, axis=-1), 0.0)
    if not model.defiers:
        return shares
    own = draws.pop(DEFIER_POSITION).reshape(n, strata, -1)
    defying = np.stack(broken_stick([own[..., i] for i in range(own.shape[-1])]), axis=-1)
    return _with_defiers(model, shares, defying)
