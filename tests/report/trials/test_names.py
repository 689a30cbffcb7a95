"""Names of variables stand in labels as they are, whatever they hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bayesmed.data import TrialNames
from bayesmed.generative import CovariateIV, PrincipalStrata, RandomCoefficients
from bayesmed.inference.entries import entries
from bayesmed.report.trials.names import (
    PARAMETERS,
    entry_label,
    statistic_label,
    statistics,
    trial_parameter_label,
)
from tests.classical.cells import fertility
from tests.generative.covariate_ivs import MODELS, data_for
from tests.generative.random_coefficients import persons
from tests.trial_fits import made

FITS = {
    **{name: (MODELS[name], data_for(name)) for name in ("a control", "uncertain", "random")},
    "probit": (MODELS["probit, random"], data_for("probit, random")),
    "arms": (RandomCoefficients(direct_effect=True), persons("two arms, direct")),
    "amount": (RandomCoefficients(), persons("amount")),
    "binary": (RandomCoefficients(), persons("binary")),
    "types": (PrincipalStrata(), fertility()),
    "saturated": (PrincipalStrata(saturated=True), fertility().pooled()),
}


@pytest.mark.parametrize("name", FITS)
def test_every_parameter_and_statistic_has_words_of_its_own(name: str) -> None:
    fit = made(*FITS[name])
    known = entries(fit.tree["posterior"].to_dataset())
    labels = [trial_parameter_label(fit, e.name, e.labels) for e in known]
    assert {e.name for e in known} <= set(PARAMETERS)
    labels += [statistic_label(fit, k, labels) for k, labels, _ in statistics(fit)]
    own = [label.replace("weeks_worked", "").replace("same_sex", "") for label in labels]
    assert not [label for label in own if re.search(r"[{}]|_(?!R|M|a|het)", label)]
    for part in (labels[: len(known)], labels[len(known) :]):
        assert len(set(part)) == len(part)


def test_templates_in_names_are_not_read() -> None:
    names = TrialNames("{m}", "{y.__class__}", "{0}", covariates=("{t}",), arms=("{a}", "%s"))
    data = data_for("default")
    one = replace(data, names=names, covariates=data.covariates[:, :1])
    fit = made(CovariateIV(), one)
    label = trial_parameter_label(fit, "mediator_coefficient", {"covariate": "{t}"})
    assert label == "Coefficient of {t} in {y.__class__}"
    label = trial_parameter_label(fit, "outcome_sd", {"arm": "{a}"})
    assert label == "Spread of the errors of {0}, arm {a}"


def test_an_unknown_parameter_stands_for_itself() -> None:
    fit = made(*FITS["binary"])
    assert trial_parameter_label(fit, "some_thing", {}) == "some thing"


def test_a_matrix_is_listed_once() -> None:
    fit = made(*FITS["a control"])
    found = [labels for name, labels, _ in statistics(fit) if name == "arm_covariance"]
    pairs = {(x["arm"], frozenset((x["variable"], x["other_variable"]))) for x in found}
    assert len(found) == len(pairs) == 6


def test_entries_are_named_by_their_axes() -> None:
    labels = {"stratum": "s", "arm": "1", "type": "0011", "mediator_value": "0", "covariate": "x"}
    assert entry_label(TrialNames(), labels) == "s, arm 1, type 0011, M=0, x"
    amounts = TrialNames(treatment="dose", arms=None)
    assert entry_label(amounts, {"treatment_group": "lowest third"}) == "dose lowest third"
    assert entry_label(amounts, {}) == ""
