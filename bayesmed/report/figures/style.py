"""One look for every picture: colours, fonts, and how names enter them."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from bayesmed.core.types import Floats
from bayesmed.report.plain import plain, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by colour-blind readers. In HTML each becomes a style variable,
# so that pictures follow light and dark mode.
INK = "#1c2126"
MUTED = "#65707b"
RULE = "#dde2e7"
PAPER = "#fefefe"
POSTERIOR = "#0072b2"
ESTIMATE = "#d55e00"
PRIOR = "#009e73"
CHAINS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
VARIABLES = {INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper", POSTERIOR: "posterior"}
VARIABLES |= {ESTIMATE: "estimate", PRIOR: "prior"}

WIDTH = 7.2  # inches; SVG scales with the page
LABEL_LENGTH = 34

_STYLE: Any = {
    "text.parse_math": False,  # a name with dollar signs is a name
    "text.usetex": False,
    "svg.fonttype": "none",  # text stays text, in whatever script
    "svg.hashsalt": "bayesmed",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.labelcolor": INK,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the house style; nothing outside the block is changed."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        # A reader's own fonts show what matplotlib's lack.
        warnings.filterwarnings("ignore", message=r"Glyph \d+", category=UserWarning)
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure, in inches, outside pyplot's global list."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def name(text: str) -> str:
    """Return a name as short plain text for a tick."""
    return shortened(text, LABEL_LENGTH)


def axis_label(text: str, width: int = 56) -> str:
    """Return a sentence with names in it for an axis: at most two lines."""
    lines = textwrap.wrap(plain(text), width, max_lines=2, placeholder=" …")
    return "\n".join(lines)


def points(
    axes: Axes,
    x: Floats,
    y: Floats,
    marker: str,
    colour: str,
    size: float,
    label: str,
    crowded: bool,
) -> None:
    """Draw one mark for each site; where they are very many, faint ones in one pixel image."""
    axes.plot(
        x,
        y,
        marker,
        linestyle="none",
        color=colour,
        markersize=size,
        markeredgecolor=PAPER,
        markeredgewidth=0.0 if crowded else 0.6,
        alpha=0.35 if crowded else 1.0,
        rasterized=crowded,
        label=label,
        zorder=5,
    )


def segments(
    axes: Axes,
    ends: Sequence[Sequence[tuple[float, float]]],
    colour: str,
    *,
    linewidth: float,
    alpha: float = 1.0,
    zorder: float = 2,
    label: str = "_",
) -> None:
    """Draw straight lines between pairs of points, as one artist."""
    from matplotlib.collections import LineCollection

    axes.add_collection(
        LineCollection(
            ends, colors=colour, linewidths=linewidth, alpha=alpha, zorder=zorder, label=label
        ),
        autolim=False,
    )


def light_grid(axes: Axes, axis: Literal["both", "x", "y"]) -> None:
    """Draw thin lines across one or both directions."""
    axes.grid(visible=True, axis=axis)
    axes.tick_params(length=0)


def few_ticks(axes: Axes) -> None:
    """Keep the numbers below a small panel apart."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(5))


def legend_above(figure: Figure, axes: Axes, columns: int) -> None:
    """Put the legend above the picture, where it hides no data; faint lines show stronger."""
    from matplotlib.patches import Patch

    handles, labels = axes.get_legend_handles_labels()
    legend = figure.legend(
        handles, labels, loc="outside upper left", ncols=columns, borderaxespad=0.2
    )
    for drawn, handle in zip(handles, legend.legend_handles, strict=True):
        alpha = drawn.get_alpha() if hasattr(drawn, "get_alpha") else None
        if isinstance(handle, Patch):
            handle.set_alpha(min(1.0, 2.2 * (alpha or 1.0)))
        elif handle is not None:
            handle.set_alpha(max(handle.get_alpha() or 1.0, 0.5))
