"""Data and fits to report, and names that try to be anything but names."""

from __future__ import annotations

import numpy as np

from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Fit, Sampler, fit

HOSTILE = (
    "<script>alert(1)</script>",
    "$x^2$",
    "\\frac{1}{2} $",
    "a|b",
    "very long " * 20,
    "🦄 👩‍🔬",
    "שלום עולם",
    "العربية",
    "\u202eevil",
    "`code` *b* _i_ [l](http://evil.example)",
    "new\nline\x1b[2J",
    "{{ 7 * 7 }} {% raw %}",
    "\"quote' onload=alert(1)",
    "&amp;&lt;",
    "http://evil.example/",
    "- item",
    "# heading",
    "%s %d {}",
    "_underscore",
)
HOSTILE_MEDIATOR = "<img src=x onerror=alert(1)> $\\alpha$ | `m`"
HOSTILE_OUTCOME = "$$\\frac{a}{b}$$ </svg><script>1</script> " + "long " * 30


def simulated(
    n: int, *, se: tuple[float, float] = (0.1, 0.2), corr: float = 0.3, **labels: object
) -> SiteEstimates:
    rng = np.random.default_rng(4)
    mediator = rng.normal(0.5, 0.5, n)
    total = 0.2 + 1.5 * mediator + rng.normal(0, 0.2, n)
    cross = corr * se[0] * se[1]
    cov = np.array([[se[0] ** 2, cross], [cross, se[1] ** 2]])
    noise = rng.multivariate_normal([0, 0], cov, n)
    return SiteEstimates.from_arrays(
        mediator_effect=mediator + noise[:, 0],
        total_effect=total + noise[:, 1],
        cov=np.tile(cov, (n, 1, 1)),
        **labels,  # type: ignore[arg-type]
    )


def fitted(data: SiteEstimates, *, direct_effect: bool = True, draws: int = 250) -> Fit:
    sampler = Sampler(engine="exact", draws=draws)
    return fit(SiteSlope(direct_effect=direct_effect), data, sampler=sampler, seed=1)
