"""The crosswalk of assumptions: numbers of the papers, and checks that exist."""

from __future__ import annotations

import pytest

from bayesmed.checks import CROSSWALK, PAPERS, SOURCES, check
from bayesmed.checks.assumptions.line import QUANTITIES
from bayesmed.generative import CovariateIV, PrincipalStrata, RandomCoefficients
from tests.checks.test_ledger_trials import CELLS
from tests.generative.covariate_ivs import trial
from tests.generative.random_coefficients import persons
from tests.trial_fits import made
from tests.variants import variant_fit

# Every number the papers give, as they mean it: what they print wrongly is put right.
NUMBERS = {
    "one_site": {
        "no_interference": "i",
        "exclusion": "ii",
        "linear_in_treatment": "iii",
        "linear_in_mediator": "iv",
        "within_site_covariance": "v",
        "relevance": "vi",
        "random_assignment": "vii",
    },
    "sites": {
        "no_interference": "i",
        "exclusion": "ii",
        "linear_in_treatment": "iii",
        "linear_in_mediator": "iv",
        "parallel_mediators": "v",
        "within_site_covariance": "vi",
        "slopes_unrelated": "vii",
        "random_assignment": "viii",
        "relevance": "ix",
    },
    "reardon": {
        "no_interference": "1",
        "linear_in_treatment": "2",
        "linear_in_mediator": "3",
        "parallel_mediators": "4",
        "exclusion": "5",
        "within_site_covariance": "6",
        "random_assignment": "7",
        "relevance": "8",
        "slopes_unrelated": "9",
    },
    "fu": {"direct_effects_unrelated": "assumption 1", "sampling_errors": "assumption 2"},
    "small": {
        "relevance": "IV-A1",
        "direct_effect_unmodified": "IV-A2,",
        "slope_unmodified": "IV-A2,",
        "mediator_unrelated_to_slopes": "IV-A3",
    },
    "kim": {
        "random_assignment": "1",
        "random_instrument": "2 (i)",
        "instrument_exclusion": "2 (ii)",
        "relevance": "2 (iii)",
        "monotone_in_treatment": "3",
        "monotone_in_instrument": "4",
    },
}


@pytest.mark.parametrize("paper", NUMBERS)
def test_numbers_are_those_of_the_papers(paper: str) -> None:
    for code, number in NUMBERS[paper].items():
        assert f"{CROSSWALK[code].papers[paper]} ".startswith((f"{number} ", number + " ("))  # type: ignore[index]
    # No other assumption has one of these numbers, or a number the paper does not give.
    others = {c: a.papers[paper] for c, a in CROSSWALK.items() if paper in a.papers}  # type: ignore[index]
    for code in set(others) - set(NUMBERS[paper]):
        assert others[code].split(" ")[0] not in {
            n.split(" ")[0] for n in NUMBERS[paper].values()
        } or (paper == "fu")


def test_records_are_whole() -> None:
    assert set(PAPERS) == set(SOURCES)
    assert len({a.name for a in CROSSWALK.values()}) == len(CROSSWALK)
    for code, assumption in CROSSWALK.items():
        assert assumption.code == code
        assert set(assumption.papers) <= set(PAPERS)
        assert assumption.statement.endswith(".")
        assert assumption.consequence.endswith(".")
        assert not (assumption.design and assumption.checks)
        assert set(assumption.checks) <= set(QUANTITIES)


def test_every_check_it_names_is_one_of_check() -> None:
    names = (
        "constant",
        "two mediators",
        "random without direct effect",
        "multi-site IV",
    )
    fits = [
        *(variant_fit(name) for name in names),
        made(CovariateIV(), trial()),
        *(made(RandomCoefficients(), persons(name)) for name in ("binary", "two arms")),
        made(PrincipalStrata(saturated=True), CELLS),
    ]
    known = {r.code.split("[")[0] for fit in fits for r in check(fit)}
    assert {code for a in CROSSWALK.values() for code in a.checks} <= known
    assert set(QUANTITIES) == {code for a in CROSSWALK.values() for code in a.checks}
