"""Gradients of the graph against differences, one variant for each piece of the graph."""

import numpy as np
import pytest

from tests.generative import variants
from tests.generative.graphs import PLAIN

# Two and more varying effects at a site take a quarter of a minute each to differentiate.
CHOSEN = (
    "constant",
    "no direct effect",
    "own priors",
    "truncated slope",
    "positive slope",
    "random, no direct effect",
    "polynomial, no direct effect",
    "correlation prior",
    "student_t",
    "two mediators",
)


@pytest.mark.parametrize("name", CHOSEN)
def test_gradient_is_that_of_differences(name):
    graph = variants.MODELS[name].build(variants.data(name))
    found = graph.compile_fn([graph.logp(), graph.dlogp()], mode=PLAIN, on_unused_input="ignore")
    rng = np.random.default_rng(4)
    start = {k: v + rng.normal(0, 0.3, np.shape(v)) for k, v in graph.initial_point().items()}
    gradient = np.asarray(found(start)[1])
    expected = []
    for key in (v.name for v in graph.value_vars):
        for where in np.ndindex(np.shape(start[key])):
            step = np.zeros(np.shape(start[key]))
            step[where] = 1e-5
            ends = [float(found(start | {key: start[key] + x})[0]) for x in (step, -step)]
            expected.append((ends[0] - ends[1]) / 2e-5)
    # Differences lose digits of the density itself.
    scale = abs(float(found(start)[0])) + np.abs(gradient).max()
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8 * scale)
