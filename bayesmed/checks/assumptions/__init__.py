"""What models assume: one list for all papers, and what becomes of it in a fit."""

from bayesmed.checks.assumptions.crosswalk import CROSSWALK
from bayesmed.checks.assumptions.line import LedgerLine
from bayesmed.checks.assumptions.record import PAPERS, REFERENCES, SOURCES, Assumption, Paper

__all__ = ["CROSSWALK", "PAPERS", "REFERENCES", "SOURCES", "Assumption", "LedgerLine", "Paper"]
