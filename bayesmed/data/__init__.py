"""Tables of site estimates: reading, checking, and the published ones that ship."""

from bayesmed.core.errors import DataError
from bayesmed.data.columns import ArmCovariance, MediatorColumns, MediatorCovariance, SiteColumns
from bayesmed.data.datasets import dataset_names, load_dataset
from bayesmed.data.plausibility import DataWarning
from bayesmed.data.site_estimates import SiteEstimates

__all__ = [
    "ArmCovariance",
    "DataError",
    "DataWarning",
    "MediatorColumns",
    "MediatorCovariance",
    "SiteColumns",
    "SiteEstimates",
    "dataset_names",
    "load_dataset",
]
