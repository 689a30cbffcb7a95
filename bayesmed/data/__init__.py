"""Site estimates and rows of persons: reading, checking, reducing; published tables that ship."""

from bayesmed.core.errors import DataError
from bayesmed.data.columns import ArmCovariance, MediatorColumns, MediatorCovariance, SiteColumns
from bayesmed.data.datasets import dataset_names, load_dataset
from bayesmed.data.person_covariance import PersonCovariance
from bayesmed.data.plausibility import DataWarning
from bayesmed.data.rows import (
    Estimation,
    Moments,
    PersonRows,
    Reduction,
    RowColumns,
    reduce_rows,
)
from bayesmed.data.site_estimates import SiteEstimates
from bayesmed.data.site_table import site_table, site_table_columns, write_site_table

__all__ = [
    "ArmCovariance",
    "DataError",
    "DataWarning",
    "Estimation",
    "MediatorColumns",
    "MediatorCovariance",
    "Moments",
    "PersonCovariance",
    "PersonRows",
    "Reduction",
    "RowColumns",
    "SiteColumns",
    "SiteEstimates",
    "dataset_names",
    "load_dataset",
    "reduce_rows",
    "site_table",
    "site_table_columns",
    "write_site_table",
]
