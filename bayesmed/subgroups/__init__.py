"""Sites found in the data of one trial: leaves of causal trees, strata of compliance."""

from bayesmed.subgroups.choices import CausalTree, CompliancePropensity
from bayesmed.subgroups.find import find_sites
from bayesmed.subgroups.found_sites import FoundSites
from bayesmed.subgroups.repeating import RepeatedSites, SplitAnswers, repeat_sites

__all__ = [
    "CausalTree",
    "CompliancePropensity",
    "FoundSites",
    "RepeatedSites",
    "SplitAnswers",
    "find_sites",
    "repeat_sites",
]
