"""Model cards: TOML files that name question, model, data, priors; nothing in them is evaluated."""

from bayesmed.cards.assumption_study import AssumptionStudy
from bayesmed.cards.card import Card, load_card
from bayesmed.cards.data import CardData
from bayesmed.cards.framing import Framing
from bayesmed.cards.rows import RowsData
from bayesmed.cards.shipped import card_names, find_card, new_card
from bayesmed.cards.study import PriorStudy
from bayesmed.cards.writing import card_text

__all__ = [
    "AssumptionStudy",
    "Card",
    "CardData",
    "Framing",
    "PriorStudy",
    "RowsData",
    "card_names",
    "card_text",
    "find_card",
    "load_card",
    "new_card",
]
