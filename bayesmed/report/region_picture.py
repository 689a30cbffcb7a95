"""An effect on a region of practical equivalence, as a picture."""

from __future__ import annotations

from functools import partial

from bayesmed.report.content import Picture
from bayesmed.report.figures.region import region as draw_region
from bayesmed.report.findings import Findings
from bayesmed.report.region import region_label, region_sentence

__all__ = ["region_picture"]


def region_picture(found: Findings) -> list[Picture]:
    """Return the posterior of the effect on the region; nothing where there is none."""
    share = found.region
    if share is None:
        return []
    label = region_label(found)
    caption = (
        "Posterior density of the effect on the region of practical equivalence (grey): what is "
        "as good as no effect was said by the analyst, not found by the computation."
    )
    alternative = f"Density of the posterior over the region. {region_sentence(share, label)}"
    return [Picture("region", caption, alternative, partial(draw_region, share, label))]
