"""What ``bayesmed fit`` does between reading its arguments and leaving."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bayesmed.cards import Card, Framing, card_names, find_card, load_card
from bayesmed.cli.display import Display
from bayesmed.core.errors import BayesmedError, InputError
from bayesmed.core.names import SLOPE
from bayesmed.core.seeds import checked_seed
from bayesmed.data import DataWarning, SiteEstimates
from bayesmed.effects import Rope, effects, practical_equivalence
from bayesmed.generative import AnyModel, TrialModel
from bayesmed.inference import Fit, Sampler, TrialFit, exact_posterior, fit
from bayesmed.report import Results, checked_results_folder, write_results


@dataclass(frozen=True)
class Overrides:
    """Options of the command line that win over the card; None where not given."""

    seed: int | None = None
    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    engine: str | None = None
    rope: tuple[float, float] | None = None

    def sampler(self, sampler: Sampler) -> Sampler:
        """Return the card's sampler with the options of the command line."""
        names = ("draws", "tune", "chains", "engine")
        given: dict[str, Any] = {n: getattr(self, n) for n in names if getattr(self, n) is not None}
        return replace(sampler, **given)

    def framing(self, framing: Framing) -> Framing:
        """Return the card's words with the region of the command line."""
        return framing if self.rope is None else replace(framing, rope=Rope(*self.rope))


def fit_card(
    name: Path, file: Path | None, out: Path | None, overrides: Overrides, shown: Display
) -> Results:
    """Read a card and its data, fit, and write the results.

    Everything that can be refused is refused before the long work begins.
    """
    card = load_card(card_path(name))
    data = load_quietly(card, file, shown)
    sampler = overrides.sampler(card.sampler)
    seed = checked_seed(card.seed if overrides.seed is None else overrides.seed)
    card.model.check_data(data)
    framing = overrides.framing(card.framing)
    directory = checked_results_folder(out or Path("results") / card.path.stem)
    for note in data.notes:
        shown.note(f"Note: {note}")
    if sampler.engine == "nuts" and not isinstance(card.model, TrialModel):
        _show_first_answer(card.model, data, shown)
    fitted: Any = fit_any(card.model, data, sampler, seed, shown)
    shown.phase("Writing the results")
    return write_results(fitted, directory, framing=_possible(framing, fitted, shown))


def _possible(framing: Framing, fitted: Fit | TrialFit, shown: Display) -> Framing:
    """Leave a region out that is about no effect of the fit: the fit itself is worth keeping."""
    if framing.rope is None:
        return framing
    try:
        practical_equivalence(effects(fitted), framing.rope)
    except InputError as error:
        shown.note(f"Note: the region of practical equivalence was left out. {error}")
        return replace(framing, rope=None)
    return framing


def card_path(name: Path) -> Path:
    """Return the card's file; a bare name without a file of its own is a shipped card."""
    if not name.exists() and name.parent == Path() and str(name) in card_names():
        return find_card(str(name))
    return name


def fit_any(
    model: Any, data: Any, sampler: Sampler, seed: int | None, shown: Display
) -> Fit | TrialFit:
    """Fit the model of a card, of sites or of one trial."""
    fitted: Fit | TrialFit = fit(model, data, sampler=sampler, seed=seed, progress=shown)
    return fitted


def load_quietly(card: Card, file: Path | None, shown: Display) -> Any:
    """Return the data of a card, with its warnings kept as notes only."""
    with warnings.catch_warnings():
        # They are shown as notes, here and in every output.
        warnings.simplefilter("ignore", DataWarning)
        return card.load_data(file, progress=shown)


def _show_first_answer(model: AnyModel, data: SiteEstimates, shown: Display) -> None:
    """Say what quadrature finds, in a fraction of the time sampling takes."""
    shown.phase("First answer by exact integration")
    try:
        slope = exact_posterior(model, data).summary(SLOPE)
    except InputError:
        return  # some priors cannot be integrated; sampling can take them
    except BayesmedError as error:
        shown.note(f"No first answer: {error}")
        return
    low, high = slope.quantiles[0], slope.quantiles[-1]
    shown.note(
        f"First answer: slope {slope.mean:.3g}, 95 % interval {low:.3g} to {high:.3g} "
        "(exact integration; sampling follows)"
    )
