"""How to compute a posterior: the choices, in one frozen record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from bayesmed.core.errors import ModelError, nearest

Engine = Literal["nuts", "exact"]
LARGEST = 1_000_000
# Below these numbers of sites the posterior has corners: with an intercept, and for random slopes
# through the origin, where the level of mediator effects tells a slope as well as their spread.
FEW_SITES, FEW_THROUGH_ORIGIN = 30, 15


@dataclass(frozen=True)
class Sampler:
    """Settings of an engine. The defaults are safe with three to five sites.

    Parameters
    ----------
    engine
        ``"nuts"``: Hamiltonian Monte Carlo (nutpie). ``"exact"``: deterministic quadrature, and
        independent draws from what it found; for models with at most three dimensions left.
    draws
        Draws kept per chain.
    tune
        Tuning draws per chain, not kept (nuts); ``None`` for 2,000 below 30 sites (15 for random
        slopes through the origin) and 1,000 from there.
    chains
        Number of chains.
    target_accept
        Target acceptance of nuts, in (0, 1); ``None`` for .99 below those numbers of sites, where
        the posterior has corners, and .95 from there.
    cores
        Chains run at once (nuts); ``None`` for as many as there are. Draws do not depend on it.

    Raises
    ------
    ModelError
        If a setting is impossible.

    Examples
    --------
    >>> Sampler(draws=500, chains=2).engine
    'nuts'
    >>> Sampler(engine="exact").for_sites(5).draws
    1500
    """

    engine: Engine = "nuts"
    draws: int = 1500
    tune: int | None = None
    chains: int = 4
    target_accept: float | None = None
    cores: int | None = None

    def __post_init__(self) -> None:
        if self.engine not in get_args(Engine):
            raise ModelError(
                f"There is no engine {self.engine!r}.", nearest(str(self.engine), get_args(Engine))
            )
        for name, least in (("draws", 4), ("tune", 1), ("chains", 1), ("cores", 1)):
            value = getattr(self, name)
            if name in ("tune", "cores") and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int):
                raise ModelError(f"{name} is {value!r}.", "Give a whole number.")
            if not least <= value <= LARGEST:
                raise ModelError(f"{name} is {value}.", f"Give {least} to {LARGEST}.")
        if self.target_accept is None:
            return
        if isinstance(self.target_accept, bool) or not isinstance(self.target_accept, float):
            raise ModelError(f"target_accept is {self.target_accept!r}.", "Give a number below 1.")
        if not 0 < self.target_accept < 1:
            raise ModelError(f"target_accept is {self.target_accept}.", "Give one in (0, 1).")

    def for_sites(self, n_sites: int, *, through_origin: bool = False) -> Sampler:
        """Return the settings with those left open chosen by the number of sites.

        Parameters
        ----------
        n_sites
            Number of sites.
        through_origin
            Whether the model has random slopes and no direct effect.

        Examples
        --------
        >>> Sampler(draws=500).for_sites(5).tune
        2000
        """
        few = FEW_THROUGH_ORIGIN if through_origin else FEW_SITES
        tune, target = (2000, 0.99) if n_sites < few else (1000, 0.95)
        return replace(
            self,
            tune=tune if self.tune is None else self.tune,
            target_accept=target if self.target_accept is None else self.target_accept,
        )

    def for_trial(self, target_accept: float = 0.9) -> Sampler:
        """Return the settings with those left open chosen for one trial without sites.

        Parameters
        ----------
        target_accept
            What the model asks for.

        Examples
        --------
        >>> Sampler().for_trial().target_accept
        0.9
        """
        return replace(
            self,
            tune=1000 if self.tune is None else self.tune,
            target_accept=target_accept if self.target_accept is None else self.target_accept,
        )
