"""Rows of persons, of any size and on any engine, reduced to moments and to site estimates."""

from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.engine import EngineError
from bayesmed.data.rows.estimation import Estimation
from bayesmed.data.rows.moments import Moments
from bayesmed.data.rows.person_rows import PersonRows
from bayesmed.data.rows.reduction import Reduction, reduce_rows

__all__ = [
    "EngineError",
    "Estimation",
    "Moments",
    "PersonRows",
    "Reduction",
    "RowColumns",
    "reduce_rows",
]
