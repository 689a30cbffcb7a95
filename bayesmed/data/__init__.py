"""Site estimates, rows of persons, single trials: reading, checking, reducing; shipped tables."""

from bayesmed.core.errors import DataError
from bayesmed.data.columns import ArmCovariance, MediatorColumns, MediatorCovariance, SiteColumns
from bayesmed.data.datasets import dataset_names, load_dataset
from bayesmed.data.person_covariance import PersonCovariance
from bayesmed.data.plausibility import DataWarning
from bayesmed.data.rows import (
    EngineError,
    Estimation,
    Moments,
    PersonRows,
    Reduction,
    RowColumns,
    reduce_rows,
)
from bayesmed.data.site_estimates import SiteEstimates
from bayesmed.data.site_table import site_table, site_table_columns, write_site_table
from bayesmed.data.trial_cells import TrialCells
from bayesmed.data.trial_moments import TrialMoments
from bayesmed.data.trial_names import TrialNames
from bayesmed.data.trial_persons import TrialPersons

type OneTrial = TrialCells | TrialMoments | TrialPersons

__all__ = [
    "ArmCovariance",
    "DataError",
    "DataWarning",
    "EngineError",
    "Estimation",
    "MediatorColumns",
    "MediatorCovariance",
    "Moments",
    "OneTrial",
    "PersonCovariance",
    "PersonRows",
    "Reduction",
    "RowColumns",
    "SiteColumns",
    "SiteEstimates",
    "TrialCells",
    "TrialMoments",
    "TrialNames",
    "TrialPersons",
    "dataset_names",
    "load_dataset",
    "reduce_rows",
    "site_table",
    "site_table_columns",
    "write_site_table",
]
