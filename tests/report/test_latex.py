r"""Tables as LaTeX: whatever they hold is text, and they fit a line of print."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bayesmed.report.compose import compose
from bayesmed.report.content import Table
from bayesmed.report.findings import findings
from bayesmed.report.latex import LONG, to_latex
from tests.browser.reports import simulation
from tests.variants import variant_fit

WIDTH = re.compile(r"p\{([.\d]+)\\linewidth\}")
DOCUMENT = r"""\documentclass[11pt]{article}
\usepackage[a4paper,margin=2.5cm]{geometry}
\usepackage[T1]{fontenc}
\usepackage{array,booktabs,caption,longtable}
\begin{document}
%s
\end{document}
"""


def test_what_means_something_there_is_escaped() -> None:
    latex = to_latex(Table("5 % of $x$", ("A_1", "{b}"), (("a & b", r"\input{x} ^~#"),)))
    for said in (r"5 \% of \$x\$", r"A\_1", r"\{b\}", r"a \& b"):
        assert said in latex
    assert r"\input" not in latex
    assert r"\textbackslash{}input\{x\} \textasciicircum{}\textasciitilde{}\#" in latex


@pytest.mark.parametrize("name", ["[A]", "*a", "[3pt] b", "* [c]"])
def test_no_row_begins_with_an_argument_of_the_line_break(name: str) -> None:
    latex = to_latex(Table("c", ("Site", "n"), (("first", "1"), (name, "2"), ("last", "3"))))
    assert re.search(r"\\\\\s*\{\}" + re.escape(name), latex)


def test_greek_letters_and_signs_are_mathematics() -> None:
    latex = to_latex(Table("σ̂²", ("β̂", "∞"), (("γ_s ≤ Δ₀", "−1"),)))
    assert latex.isascii() or set(latex) - set(map(chr, range(128))) == {"²"}
    for said in (r"\hat{\sigma}", r"\hat{\beta}", r"\infty", r"\Delta", "{_{0}}", r"\le", "{-}1"):
        assert said in latex
    assert r"\ensuremath{\gamma}\_s" in latex


def test_tables_of_many_lines_break_across_pages_and_repeat_their_head() -> None:
    rows = tuple((str(i), "1") for i in range(LONG))
    long = to_latex(Table("c", ("A", "B"), rows))
    assert r"\begin{longtable}" in long
    assert long.count("A & B") == 2
    assert long.index(r"\endfirsthead") < long.rindex("A & B") < long.index(r"\endhead")
    assert r"\begin{longtable}" not in to_latex(Table("c", ("A", "B"), rows[:5]))
    words = tuple((str(i), "word " * 100) for i in range(LONG // 3))
    assert r"\begin{longtable}" in to_latex(Table("c", ("A", "B"), words, texts=(0, 1)))


def test_short_tables_are_set_as_they_are() -> None:
    short = to_latex(Table("c", ("A", "n"), (("a", "1"),)))
    assert r"{@{\extracolsep{\fill}}lr}" in short
    assert r"\small" in short
    assert "[3pt]" not in short


def test_sentences_are_paragraphs_that_share_the_line() -> None:
    words = Table("c", ("A", "B", "n"), (("a " * 40, "b " * 90, "1.5"),), texts=(0, 1))
    for rows in (1, 60):
        latex = to_latex(replace(words, rows=words.rows * rows))
        shares = [float(s) for s in WIDTH.findall(latex)]
        assert len(shares) == 2
        assert shares[0] < shares[1]
        assert 0.5 < sum(shares) < 0.95
        assert r"\small" in latex
        assert (r"\\[3pt]" in latex) == (rows > 1)


def test_numbers_become_smaller_then_stand_below_each_other() -> None:
    def wide(columns: int) -> str:
        heads = tuple("ABCDEFGHIJK"[: columns + 1])
        return to_latex(Table("c", heads, (("a", *["0.123 [0.0123, 0.456]"] * columns),)))

    assert r"\small" in wide(3)
    assert r"\footnotesize" in wide(4)
    assert not WIDTH.search(wide(4))
    below = wide(5)
    assert all(0.1 < float(s) < 0.19 for s in WIDTH.findall(below))
    assert "0.123 [0.0123,~0.456]" in below  # an interval stays in one piece
    assert "0.123 [0.0123, 0.456]" in wide(10)  # until it cannot
    errors = to_latex(Table("c", tuple("ABCDEFGHIJ"), (("a", *["-0.123 ± 0.456"] * 9),)))
    assert "-0.123 ±~0.456" in errors


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_tables_of_reports_are_set_by_latex_and_fit(tmp_path: Path) -> None:
    tables = [*simulation().tables, Table("c", ("Site", "σ̂²"), (("[A]", "−∞"), ("*b ≤", "1")))]
    for name in ("two mediators", "three mediators"):
        tables += compose(findings(variant_fit(name))).tables
    body = "\n\\clearpage\n".join(to_latex(one) for one in tables if one.slug or one.rows[0][0])
    (tmp_path / "t.tex").write_text(DOCUMENT % body, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "t.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-2000:]
    over = [float(x) for x in re.findall(r"Overfull \\hbox \(([.\d]+)pt", log)]
    assert max(over, default=0.0) < 6, over  # of 455
