"""A whole report of every variant of the model: nothing fails, nothing is missing."""

from __future__ import annotations

import pytest

from bayesmed.checks import ledger
from bayesmed.report.compose import compose
from bayesmed.report.findings import findings
from bayesmed.report.html import to_html
from bayesmed.report.markdown import to_markdown
from bayesmed.report.model_words import model_in_words
from tests.variants import VARIANTS, variant_fit


@pytest.mark.parametrize("name", VARIANTS)
def test_a_report_of_every_variant_is_whole(name: str) -> None:
    fit = variant_fit(name)
    found = compose(findings(fit))
    text = to_html(found)
    assert text.count("<svg") >= len(found.pictures)
    for rectangle in found.tables:
        assert rectangle.rows
        assert {len(row) for row in rectangle.rows} == {len(rectangle.columns)}
    markdown = to_markdown(found).replace("\\", "")
    statements = [line.assumption.statement.removesuffix(".") for line in ledger(fit).lines]
    for words in (*statements, *model_in_words(fit)):
        assert words in markdown
    # Every parameter has words of its own.
    (parameters,) = (t for t in found.tables if t.caption.startswith("Posterior of the parameters"))
    for row in parameters.rows:
        assert row[0] != row[1]
