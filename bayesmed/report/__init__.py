"""Results for people: the answer, the report, the folder of files."""

from bayesmed.report.answer import Answer, answer
from bayesmed.report.findings import Findings, findings
from bayesmed.report.picture import picture
from bayesmed.report.report import report
from bayesmed.report.results import (
    Results,
    checked_results_folder,
    rewrite_reports,
    write_results,
)
from bayesmed.report.table import latex, table

__all__ = [
    "Answer",
    "Findings",
    "Results",
    "answer",
    "checked_results_folder",
    "findings",
    "latex",
    "picture",
    "report",
    "rewrite_reports",
    "table",
    "write_results",
]
