"""What follows from a trial's cells: moments by instrument, a tidy table, a fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.data import trial_names
from bayesmed.formulas.cell_moments import joined

if TYPE_CHECKING:
    import pandas as pd

    from bayesmed.data.trial_cells import TrialCells

__all__ = ["cell_table", "fingerprint", "persons_by_instrument"]

_Array = NDArray[np.float64]


def persons_by_instrument(cells: TrialCells) -> tuple[_Array, _Array]:
    """Join the cells of both mediator values.

    Returns
    -------
    tuple
        (S, 2, 2) mean outcome and (S, 2, 2, 2, 2) sums of products of (M, Y) about their means.
    """
    s = cells.n_strata
    mediator = np.broadcast_to([0.0, 1.0], cells.n.shape)
    mean = np.stack([mediator.ravel(), cells.mean.ravel()], axis=-1)
    cross = np.zeros((cells.n.size, 2, 2))
    cross[:, 1, 1] = cells.squares.ravel()
    group = np.repeat(np.arange(4 * s), 2)
    _, means, products = joined(cells.n.ravel(), mean, cross, group, 4 * s)
    return means[:, 1].reshape(s, 2, 2), products.reshape(s, 2, 2, 2, 2)


def cell_table(cells: TrialCells) -> pd.DataFrame:
    """Return the tidy table; see `TrialCells.to_frame`."""
    import pandas as pd

    s, d, z, m = (index.ravel() for index in np.indices(cells.n.shape))
    assert cells.names.arms is not None
    return pd.DataFrame(
        {
            "stratum": np.array(cells.stratum, dtype=object)[s],
            "treatment": np.array(cells.names.arms, dtype=object)[d],
            "instrument": z,
            "mediator": m,
            "n": cells.n.ravel(),
            "mean": cells.mean.ravel(),
            "squares": cells.squares.ravel(),
        }
    )


def fingerprint(cells: TrialCells) -> str:
    """Hash names and numbers; see `TrialCells.fingerprint`."""
    names = cells.names
    labels: dict[str, Any] = {
        "stratum": cells.stratum,
        "named": [names.treatment, cells.instrument, names.mediator, names.outcome, names.arms],
    }
    return trial_names.fingerprint(labels, cells.n, cells.mean, cells.squares)
