"""Errors name the problem and the remedy."""

import pickle

import pytest

from bayesmed.core.errors import (
    BayesmedError,
    CardError,
    DataError,
    InputError,
    ModelError,
    StorageError,
    nearest,
)


@pytest.mark.parametrize("kind", [DataError, CardError, ModelError, StorageError])
def test_every_error_is_an_input_error_with_problem_and_remedy(kind):
    error = kind("Row 3 has no value.", "Add one.")
    assert isinstance(error, InputError)
    assert isinstance(error, BayesmedError)
    assert (error.problem, error.remedy) == ("Row 3 has no value.", "Add one.")
    assert str(error) == "Row 3 has no value. Add one."


def test_errors_travel_between_processes():
    """Worker processes hand errors back pickled."""
    error = pickle.loads(pickle.dumps(DataError("Row 3 has no value.", "Add one.")))
    assert isinstance(error, DataError)
    assert (error.problem, error.remedy) == ("Row 3 has no value.", "Add one.")


@pytest.mark.parametrize(
    ("name", "known", "offered"),
    [
        ("gama_hat", ["tau_hat", "gamma_hat"], "Did you mean 'gamma_hat'?"),
        ("zzz", ["a", "b"], "There are: 'a', 'b'."),
        ("zzz", [], "There is none."),
        ("zzz", (c for c in "ab"), "There are: 'a', 'b'."),
        ("zzz", [f"c{i}" for i in range(14)], "'c11' and 2 more."),
    ],
)
def test_nearest_offers_one_name_or_lists_what_exists(name, known, offered):
    assert nearest(name, known).endswith(offered)
