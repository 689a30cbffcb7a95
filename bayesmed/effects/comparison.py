"""What ``compare`` returns: estimates side by side, and the reasons why they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from bayesmed.classical import ClassicalEstimate, CochranQ, Strength
from bayesmed.core.display import Shown, displayed

if TYPE_CHECKING:
    from bayesmed.effects.reference import Reference

POSTERIOR = "Posterior"
REASONS = ("estimator", "mediator", "code", "text", "value")


class Reason(NamedTuple):
    """A reason why some estimate differs: its code, its sentence, its number."""

    code: str
    text: str
    value: float


@dataclass(frozen=True)
class Difference:
    """One reason why an estimate differs from the reference, with its number.

    Attributes
    ----------
    estimator
        Name of the estimator; "Posterior" for what concerns the posterior itself.
    mediator
        Whose slope it is about.
    code
        Which reason; `compare` lists them.
    text
        One or two sentences, with the number, in the units of the data.
    value
        The number; `compare` says which.
    """

    estimator: str
    mediator: str
    code: str
    text: str
    value: float


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Classical estimates beside each other and, given a fit, beside its posterior.

    Attributes
    ----------
    mediators
        Names of the P mediators.
    outcome
        Name of the outcome.
    estimates
        The classical estimates, in the order of `bayesmed.classical.ESTIMATORS`; those that do
        not exist for such data are left out, and named in ``notes``.
    posterior
        Columns mediator, mean, sd, q2.5, q50, q97.5 of the slope (of ``average_slope`` in a
        polynomial model), one row for each mediator, outcome units per mediator unit; None where
        data were compared.
    reference
        What the others are compared with; None where no estimator that allows for sampling error
        has an answer.
    differences
        The reasons, by estimator.
    strength
        Strength and rank of the sites as instruments, for lines like those compared.
    overidentification
        Cochran's Q of weighted least squares, or of ordinary where weights would be infinite.
    notes
        What concerns all of them.

    Examples
    --------
    >>> import bayesmed as bm
    >>> data = bm.load_card(bm.find_card("mechte_example")).load_data()
    >>> found = bm.compare(data, seed=1)
    >>> found.table().set_index("estimator").loc["OLS", "slope"].round(3)
    np.float64(0.698)
    >>> "BCES" in found.reasons()["estimator"].tolist()
    True
    """

    mediators: tuple[str, ...]
    outcome: str
    estimates: tuple[ClassicalEstimate, ...]
    posterior: pd.DataFrame | None
    reference: Reference | None
    differences: tuple[Difference, ...]
    strength: Strength
    overidentification: CochranQ
    notes: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return a tidy table of the estimates, the posterior first.

        Returns
        -------
        DataFrame
            One row for each estimator and mediator: columns estimator, mediator, slope (posterior
            mean), slope_se (posterior sd), low and high (95 % interval; infinite where nothing is
            excluded), defined, covariance_used (whether Cov(γ̂, β̂) was given and entered),
            simulation_error (NaN without simulation), reason (why there is no answer, no standard
            error or no interval; empty otherwise).
        """
        rows = [] if self.posterior is None else self._posterior_rows(self.posterior)
        for estimate in self.estimates:
            simulated = estimate.simulation_error
            for p, mediator in enumerate(estimate.mediators):
                rows.append(
                    {
                        "estimator": estimate.name,
                        "mediator": mediator,
                        "slope": float(estimate.slope[p]),
                        "slope_se": float(estimate.slope_se[p]),
                        "low": float(estimate.interval_low[p]),
                        "high": float(estimate.interval_high[p]),
                        "defined": estimate.defined,
                        "covariance_used": estimate.covariance_used,
                        "simulation_error": np.nan if simulated is None else float(simulated[p]),
                        "reason": estimate.reason,
                    }
                )
        return pd.DataFrame(rows)

    def _posterior_rows(self, posterior: pd.DataFrame) -> list[dict[str, object]]:
        assert self.reference is not None
        return [
            {
                "estimator": POSTERIOR,
                "mediator": row["mediator"],
                "slope": row["mean"],
                "slope_se": row["sd"],
                "low": row["q2.5"],
                "high": row["q97.5"],
                "defined": True,
                "covariance_used": self.reference.covariance_used,
                "simulation_error": np.nan,
                "reason": "",
            }
            for row in posterior.to_dict("records")
        ]

    def strength_table(self) -> pd.DataFrame:
        """Return strength, rank and overidentification as a tidy table.

        Returns
        -------
        DataFrame
            Columns quantity, mediator (empty where it is about all of them), value. Quantities:
            ``first_stage_f``, ``conditional_f``, ``relative_bias`` and ``reliability`` of each
            mediator; ``singular_value`` of each direction, largest first, ``noise_level``,
            ``rank`` and ``rank_p_value``; ``cochran_q``, ``cochran_q_df``, ``cochran_q_p_value``.
            NaN where not defined. What they are: `bayesmed.classical.Strength`, and
            `bayesmed.classical.CochranQ`.
        """
        found, q = self.strength, self.overidentification
        rows: list[tuple[str, str, float]] = []
        for name in ("first_stage_f", "conditional_f", "relative_bias", "reliability"):
            each = zip(self.mediators, getattr(found, name).tolist(), strict=True)
            rows += [(name, mediator, value) for mediator, value in each]
        rows += [("singular_value", "", value) for value in found.singular_values.tolist()]
        rank = float(found.rank) if found.defined else np.nan
        rows += [("noise_level", "", found.noise_level), ("rank", "", rank)]
        rows += [("rank_p_value", "", found.rank_p_value), ("cochran_q", "", q.statistic)]
        rows += [("cochran_q_df", "", float(q.df)), ("cochran_q_p_value", "", q.p_value)]
        return pd.DataFrame(rows, columns=["quantity", "mediator", "value"])

    def reasons(self) -> pd.DataFrame:
        """Return the reasons as a table: columns estimator, mediator, code, text, value."""
        rows = [[getattr(d, column) for column in REASONS] for d in self.differences]
        return pd.DataFrame(rows, columns=list(REASONS))

    def sentences(self) -> tuple[str, ...]:
        """Return every reason once, after the names of the estimators it holds for."""
        holders: dict[tuple[str, str, str], list[str]] = {}
        for found in self.differences:
            holders.setdefault((found.mediator, found.code, found.text), []).append(found.estimator)
        several = len(self.mediators) > 1
        return tuple(
            f"{', '.join(names)}{f' ({mediator})' if several else ''}: {text}"
            for (mediator, _, text), names in holders.items()
        )

    def _shown(self) -> Shown:
        from bayesmed.effects.display import shown_comparison

        return shown_comparison(self)
