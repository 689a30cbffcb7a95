"""An assumption as every paper numbers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

__all__ = ["PAPERS", "REFERENCES", "SOURCES", "Assumption", "Paper"]

Paper = Literal["fu", "one_site", "sites", "reardon", "small", "kim"]

PAPERS: Final[Mapping[Paper, str]] = {
    "fu": "Fu",
    "one_site": "R&R one site",
    "sites": "R&R sites",
    "reardon": "Reardon",
    "small": "Small",
    "kim": "Kim",
}
"""Papers, as citations of numbers begin."""

SOURCES: Final[Mapping[Paper, str]] = {
    "fu": "Fu (2023)",
    "one_site": "Reardon and Raudenbush (2013), section 2, one site and one mediator",
    "sites": "Reardon and Raudenbush (2013), section 4, several sites and mediators (in brackets "
    "section 3, one mediator)",
    "reardon": "Reardon (2016), slides on several sites and mediators",
    "small": "Small (2012)",
    "kim": "Kim (2022)",
}
"""Papers in full. Reardon and Raudenbush number differently for one site and for several."""

_SITES: Final = (
    "Reardon, S. F. and Raudenbush, S. W. (2013). Under What Assumptions Do Site-by-Treatment "
    "Instruments Identify Average Causal Effects?"
)
REFERENCES: Final[Mapping[Paper, str]] = {
    "fu": "Fu, J. (2023). Extract Mechanisms from Heterogeneous Effects: A New Identification "
    "Strategy for Mediation Analysis.",
    "one_site": _SITES,
    "sites": _SITES,
    "reardon": "Reardon, S. F. (2016). Multiple-Site, Multiple-Mediator Instrumental Variables "
    "(MSMM-IV) Methods: Conceptual Model and Assumptions. Slides.",
    "small": "Small, D. S. (2012). Mediation Analysis Without Sequential Ignorability.",
    "kim": "Kim, B. (2022). On the Use of Instrumental Variables in Mediation Analysis.",
}
"""Papers as they are cited."""


@dataclass(frozen=True)
class Assumption:
    """An assumption, whatever fit relies on it.

    Attributes
    ----------
    code
        Stable name, for programs.
    name
        What the field calls it.
    statement
        It, in one sentence.
    consequence
        What becomes of the answer where it fails, in one sentence.
    papers
        Its number in each paper that has it.
    checks
        Codes of `check` that speak to it; of several mediators those with their names in brackets.
    study
        What else speaks to it: a choice of a model, or a study.
    blind
        What the checks cannot see, in sentences.
    design
        Whether it holds, if it does, by how the study was made.
    """

    code: str
    name: str
    statement: str
    consequence: str
    papers: Mapping[Paper, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    study: str = ""
    blind: str = ""
    design: bool = False

    def cited(self, papers: Sequence[Paper] = tuple(PAPERS)) -> str:
        """Return its numbers in some papers.

        Examples
        --------
        >>> Assumption("a", "A", "It is.", "It is not.", {"fu": "A1", "kim": "2 (ii)"}).cited()
        'Fu A1; Kim 2 (ii)'
        """
        return "; ".join(f"{PAPERS[p]} {self.papers[p]}" for p in papers if p in self.papers)

    @property
    def knowable(self) -> str:
        """Whether anything in data speaks to it: by design, by checks, by a study, or not."""
        if self.design:
            return "by design"
        if self.checks:
            return "can be checked"
        return "not testable; a study speaks to it" if self.study else "not testable"
