"""What a simulated study found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import ModelError
from bayesmed.studies.simulation.design import Design, label, varying
from bayesmed.studies.simulation.metrics import metrics

if TYPE_CHECKING:
    import pandas as pd


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class Simulation:
    """Estimates of every replicate of every design; made by `simulate`.

    Attributes
    ----------
    designs
        The designs, in order.
    replicates
        One row for each analysis of each data set: ``design`` (as text), ``replicate``,
        ``estimator``, ``estimate``, ``low`` and ``high`` (ends of the 95 % interval),
        ``divergences``.
    failed
        Tasks that failed, with their error; the replicates in them are missing everywhere.
    estimators
        Names of the estimators, in order.
    seed
        The seed of the study.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import bayesmed as bm
    >>> with ThreadPoolExecutor(1) as own:
    ...     found = bm.simulate(bm.FuDesign(sites=30), replicates=20, estimators=["OLS", "WLS"],
    ...                         models={}, seed=1, executor=own)
    >>> found.table()["estimator"].tolist()
    ['OLS', 'WLS']
    >>> len(found.replicates), len(found.failed)
    (40, 0)
    """

    designs: tuple[Design, ...]
    replicates: pd.DataFrame = field(repr=False)
    failed: pd.DataFrame = field(repr=False)
    estimators: tuple[str, ...]
    seed: int

    @property
    def varying(self) -> tuple[str, ...]:
        """Values in which the designs differ; ``design`` alone where they are of several types."""
        return varying(self.designs) or ("design",)

    def table(self) -> pd.DataFrame:
        """Return one row for each design and estimator.

        Columns: ``design`` (as text), what varies between designs, ``truth``, ``estimator``;
        ``replicates``, ``undefined`` and ``without_interval`` as counts; then, each with its Monte
        Carlo error as ``..._error``, ``bias``, ``rmse``, ``rejects`` (share of all replicates whose
        interval excludes 0), ``covers`` (share of intervals that hold the truth), ``median_width``,
        ``wrong_sign`` (share of estimates of the other sign than the truth) and ``type_s`` (the
        same of the rejecting ones); last ``fits_with_divergences``, of sampled posteriors.
        """
        import pandas as pd

        groups = dict(iter(self.replicates.groupby(["design", "estimator"], sort=False)))
        rows = []
        for design in self.designs:
            for name in self.estimators:
                part = groups.get((label(design), name))
                if part is not None:
                    rows.append(self._row(design, name, part))
        return pd.DataFrame(rows)

    def _row(self, design: Design, name: str, part: pd.DataFrame) -> dict[str, Any]:
        estimate, low, high = part[["estimate", "low", "high"]].to_numpy(dtype=np.float64).T
        said = {key: getattr(design, key) for key in varying(self.designs)}
        return {
            "design": label(design),
            **said,
            "truth": design.truth,
            "estimator": name,
            **metrics(estimate, low, high, design.truth),
            "fits_with_divergences": int((part["divergences"] > 0).sum()),
        }

    def _shown(self) -> Shown:
        from bayesmed.studies.display import shown_study

        table = self.table()
        title = f"Simulation({len(self.designs)} designs, {len(self.estimators)} estimators)"
        return shown_study(
            title,
            table,
            ("design", "estimator", "bias", "rmse", "rejects", "covers", "median_width"),
        )


def checked_designs(designs: Design | Sequence[Design]) -> tuple[Design, ...]:
    """Return designs as a tuple of different ones.

    Raises
    ------
    ModelError
        If there are none, or two are the same.
    """
    several = tuple(designs) if isinstance(designs, Sequence) else (designs,)
    if not several:
        raise ModelError("There are no designs.", "Give one or more.")
    names = [label(design) for design in several]
    for name in names:
        if names.count(name) > 1:
            raise ModelError(f"The design {name} is there twice.", "Give each design once.")
    return several
