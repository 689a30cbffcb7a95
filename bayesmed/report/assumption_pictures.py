"""Pictures of a study of assumptions, with what they show in words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bayesmed.core.numbers import number
from bayesmed.generative.assumption_axes import fitted_value
from bayesmed.report.assumption_words import Key, about, axis_label
from bayesmed.report.content import Picture, slugs
from bayesmed.report.figures.assumptions import Curve, assumption_curves, assumption_map
from bayesmed.report.figures.sensitivity import estimates
from bayesmed.studies.sensitivity import AssumptionSensitivity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["beside_the_fit", "over_assumptions"]


def over_assumptions(found: AssumptionSensitivity, pictured: dict[Key, str]) -> tuple[Picture, ...]:
    """Return curves of each quantity over one assumption, or maps over two.

    Parameters
    ----------
    found
        The study.
    pictured
        What is drawn, in words, by name and entry.
    """
    if len(found.axes) == 1:
        names = dict.fromkeys(name for name, _ in pictured)
        return tuple(_curves(found, name, pictured) for name in names)
    named = slugs("map", (name for name, _ in pictured))
    return tuple(
        _map(found, key, label, slug)
        for (key, label), slug in zip(pictured.items(), named, strict=True)
    )


def _curves(found: AssumptionSensitivity, name: str, pictured: dict[Key, str]) -> Picture:
    axis, tipping = found.axes[0], found.tipping()
    grid = found.held().rename(columns={axis.name: "x"})
    keys = [key for key in pictured if key[0] == name]
    curves = []
    for key in keys:
        beside = about(grid, (f"{name}_iv", key[1]))
        own = tipping[(tipping["quantity"] == name) & (tipping["entry"] == key[1])]
        curves.append(Curve(pictured[key], about(grid, key), own, None if beside.empty else beside))
    reference = found.reference()[axis.name]
    drawn = partial(
        assumption_curves,
        curves,
        axis_label(axis, short=len(curves) > 1),
        reference,
        fitted=fitted_value(found.fit.model, axis.name) is not None,
    )
    caption = (
        f"Median, 50 % and 95 % intervals with the {axis.words} held at each value. Hatched: the "
        f"95 % interval says another thing about 0 than at {number(reference)}. Diamonds: where "
        "it begins or ceases to include 0; crosses: where the median changes sign."
    )
    if any(curve.beside is not None for curve in curves):
        caption += " Dashed: what instrumental variables have in its place."
    alternative = " ".join(_seen(curve, axis.symbol) for curve in curves)
    (slug,) = slugs("over", [name])
    return Picture(slug, caption, alternative, drawn)


def _seen(curve: Curve, symbol: str) -> str:
    low, high = curve.rows.iloc[0], curve.rows.iloc[-1]
    return (
        f"{curve.title}: median {number(low['q50'])} [{number(low['q2.5'])}, "
        f"{number(low['q97.5'])}] at {symbol} = {number(low['x'])}, {number(high['q50'])} "
        f"[{number(high['q2.5'])}, {number(high['q97.5'])}] at {number(high['x'])}."
    )


def _map(found: AssumptionSensitivity, key: Key, label: str, slug: str) -> Picture:
    across, up = found.axes
    fitted = fitted_value(found.fit.model, across.name), fitted_value(found.fit.model, up.name)
    rows = about(found.held(), key).rename(columns={across.name: "x", up.name: "y"})
    drawn = partial(
        assumption_map,
        rows,
        label,
        (axis_label(across), axis_label(up)),
        None if fitted[0] is None or fitted[1] is None else (fitted[0], fitted[1]),
    )
    caption = (
        "Colour: median, orange where it is negative and blue where it is positive. Hatched: the "
        "95 % interval includes 0, and the solid line is where that changes. Dashed line: the "
        "median is 0. Small crosses: not converged, and left out."
    )
    caption += "" if None in fitted else " Star: the fit."
    good = rows[rows["converged"].astype(bool)]
    middle, inside = good["q50"], (good["q2.5"] <= 0) & (good["q97.5"] >= 0)
    alternative = (
        f"{label}: medians from {number(middle.min())} to {number(middle.max())}; the 95 % "
        f"interval includes 0 at {int(inside.sum())} of {len(good)} combinations of "
        f"{across.symbol} and {up.symbol}."
    )
    return Picture(slug, caption, alternative, drawn)


def beside_the_fit(own: pd.DataFrame, label: str, slug: str) -> Picture:
    """Return a picture of one quantity under other priors, the fit on top.

    Parameters
    ----------
    own
        Its rows of `AssumptionSensitivity.table`, the fit's first.
    label, slug
        What it is, and the picture's name.
    """
    side = (own["q2.5"] > 0).astype(int) - (own["q97.5"] < 0).astype(int)
    rows = own.assign(
        prior=own["version"],
        shift=0.0,
        sign_changed=(own["q50"] > 0) != (own["q50"].iloc[0] > 0),
        interval_changed=side != side.iloc[0],
        moved=False,
    )
    caption = (
        "Medians and 95 % intervals; on top, and as a band, those of the fit. Orange: sign or "
        "interval say another thing. Open circles did not converge."
    )
    seen = "; ".join(
        f"{r['version']} {number(r['q50'])} [{number(r['q2.5'])}, {number(r['q97.5'])}]"
        for r in own.to_dict("records")
    )
    return Picture(slug, caption, f"{label}: {seen}.", partial(estimates, rows, label))
