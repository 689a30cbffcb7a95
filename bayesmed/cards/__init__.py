"""Model cards: TOML files that name question, model, data, priors; nothing in them is evaluated."""

from bayesmed.cards.card import Card, CardData, Framing, load_card
from bayesmed.cards.shipped import card_names, find_card, new_card

__all__ = ["Card", "CardData", "Framing", "card_names", "find_card", "load_card", "new_card"]
