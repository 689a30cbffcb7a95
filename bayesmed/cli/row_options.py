"""Options of ``bayesmed estimates`` as the records that the data room takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bayesmed.core.errors import DataError
from bayesmed.data import Estimation, RowColumns
from bayesmed.data.cells import CellError, as_number


@dataclass(frozen=True)
class RowOptions:
    """What was typed, under the names of the options; tuples where one may be repeated."""

    treatment: tuple[str, ...]
    mediator: tuple[str, ...]
    outcome: str
    site: tuple[str, ...]
    reference: str | None
    arm: tuple[str, ...]
    continuous: bool
    instrument: str | None
    covariate: tuple[str, ...]
    fixed_effect: str | None
    cluster: str | None
    weights: str | None
    site_covariate: tuple[str, ...]
    log_odds: tuple[str, ...]
    cut: tuple[str, ...]
    quantiles: tuple[str, ...]
    label: tuple[str, ...]
    where: tuple[str, ...]
    covariance: str
    least_per_arm: int
    half_counts: bool
    constant_outcome: str
    strict: bool

    def columns(self) -> RowColumns:
        """Return the roles of columns."""
        cuts = _pairs("--cut", self.cut, "age=30,50")
        groups = _pairs("--quantiles", self.quantiles, "age=4")
        return RowColumns(
            treatment=_one_or_more(self.treatment),
            mediators=self.mediator,
            outcome=self.outcome,
            site=_one_or_more(self.site),
            reference=self.reference,
            arms=self.arm,
            continuous=self.continuous,
            instrument=self.instrument,
            covariates=self.covariate,
            fixed_effect=self.fixed_effect,
            cluster=self.cluster,
            weights=self.weights,
            site_covariates=self.site_covariate,
            log_odds=self.log_odds,
            cuts={k: tuple(_number("--cut", k, x) for x in v.split(",")) for k, v in cuts.items()},
            quantiles={k: _whole("--quantiles", k, v) for k, v in groups.items()},
            labels=_pairs("--label", self.label, "SCYFNSH=grades"),
            where=_pairs("--where", self.where, "year=2010"),
        )

    def how(self) -> Estimation:
        """Return how effects are estimated."""
        return Estimation(
            covariance=self.covariance,
            least_per_arm=self.least_per_arm,
            half_counts=self.half_counts,
            constant_outcome=self.constant_outcome,
            strict=self.strict,
        )


def _one_or_more(names: tuple[str, ...]) -> str | tuple[str, ...]:
    return names[0] if len(names) == 1 else names


def _pairs(option: str, texts: Iterable[str], example: str) -> dict[str, str]:
    """Split ``column=value`` at the first equals sign."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise DataError(
                f"{option} {text!r} is not a column and a value.", f"Write {option} {example}."
            )
        if name in found:
            raise DataError(f"{option} names {name!r} twice.", "Name it once.")
        found[name] = value
    return found


def _number(option: str, column: str, text: str) -> float:
    try:
        return as_number(text)
    except CellError as bad:
        raise DataError(f"{option}, {column!r}: {bad.problem}.", bad.remedy) from bad


def _whole(option: str, column: str, text: str) -> int:
    number = _number(option, column, text)
    if not number.is_integer():
        raise DataError(f"{option}, {column!r}: {text} is no whole number.", "Write one.")
    return int(number)
