"""The words that names are made of: categories, and what is on offer in each.

Never: names a person; whoever works or buys here is a role and a number.
"""

from typing import NamedTuple


class Offer(NamedTuple):
    """A category and what its events are called."""

    slug: str
    name: str
    nouns: tuple[str, ...]


OFFERS = (
    Offer("walking-tours", "Walking tours", ("walking tour", "old town walk", "guided stroll")),
    Offer("bike-tours", "Bike tours", ("bike tour", "cycling tour", "e-bike ride")),
    Offer("bus-tours", "Bus tours", ("hop-on hop-off bus", "panoramic bus tour")),
    Offer("boat-trips", "Boat trips", ("boat trip", "river cruise", "harbour tour")),
    Offer("day-trips", "Day trips", ("day trip", "excursion", "countryside escape")),
    Offer("food-tours", "Food tours", ("food tour", "street food walk", "market tasting")),
    Offer("wine-tastings", "Wine tastings", ("wine tasting", "cellar visit", "vineyard tour")),
    Offer("beer-tours", "Beer tours", ("brewery tour", "craft beer tasting", "pub crawl")),
    Offer("cooking-classes", "Cooking classes", ("cooking class", "pastry workshop")),
    Offer("museums", "Museums", ("museum ticket", "museum tour", "gallery visit")),
    Offer("castles", "Castles and palaces", ("castle tour", "palace visit", "royal rooms tour")),
    Offer("churches", "Churches and cathedrals", ("cathedral tour", "bell tower climb")),
    Offer("street-art", "Street art", ("street art tour", "graffiti workshop")),
    Offer("architecture", "Architecture", ("architecture tour", "rooftop tour")),
    Offer("history", "History", ("history tour", "medieval city tour", "wartime sites tour")),
    Offer("ghost-tours", "Ghost tours", ("ghost tour", "haunted cellar tour")),
    Offer("photography", "Photography", ("photo walk", "sunrise photo tour")),
    Offer("kayaking", "Kayaking", ("kayak tour", "canoe trip")),
    Offer("sailing", "Sailing", ("sailing trip", "sunset sail")),
    Offer("diving", "Diving and snorkelling", ("diving course", "snorkelling trip")),
    Offer("surfing", "Surfing", ("surf lesson", "paddle board rental")),
    Offer("hiking", "Hiking", ("hike", "gorge hike", "mountain day hike")),
    Offer("climbing", "Climbing", ("climbing course", "via ferrata")),
    Offer("skiing", "Skiing", ("ski lesson", "snowshoe walk")),
    Offer("horse-riding", "Horse riding", ("horse ride", "carriage ride")),
    Offer("wildlife", "Wildlife", ("birdwatching tour", "zoo ticket", "whale watching")),
    Offer("gardens", "Parks and gardens", ("garden tour", "botanical garden ticket")),
    Offer("caves", "Caves", ("cave tour", "underground walk")),
    Offer("spas", "Spas", ("spa day", "thermal bath ticket", "sauna evening")),
    Offer("concerts", "Concerts", ("concert", "organ recital", "jazz night")),
    Offer("theatre", "Theatre and opera", ("opera evening", "backstage tour")),
    Offer("dance", "Dance", ("flamenco show", "tango class", "folk dance evening")),
    Offer("sports", "Sports", ("stadium tour", "match ticket")),
    Offer("theme-parks", "Theme parks", ("theme park ticket", "water park ticket")),
    Offer("observation", "Observation decks", ("tower ticket", "observation wheel ride")),
    Offer("helicopters", "Helicopter flights", ("helicopter flight", "balloon ride")),
    Offer("escape-rooms", "Escape rooms", ("escape room", "city treasure hunt")),
    Offer("crafts", "Crafts", ("pottery class", "glass-blowing workshop")),
    Offer("transfers", "Transfers", ("airport transfer", "private driver")),
    Offer("city-cards", "City cards", ("city card", "museum pass")),
)

MANNERS = (
    "private", "small-group", "skip-the-line", "guided", "self-guided", "evening", "morning",
    "family", "VIP", "classic", "complete", "express",
)  # fmt: skip

# The same words everywhere, so that lists have equal names of different vendors.
COMMON = ("City walking tour", "Best of the city", "old town highlights", "Hop-on hop-off 24h")

TRADES = ("Tours", "Excursions", "Travel", "Experiences", "Guides", "Adventures", "Tickets")

DETAILS = (
    "Meet at the main square.", "Small groups only.", "Tickets are included.",
    "A snack on the way is included.", "Suitable for children.", "Comfortable shoes advised.",
    "Free cancellation until the day before.", "Runs in any weather.", "Audio guide included.",
)  # fmt: skip

DESKS = ("Reservations", "Front desk", "Accounts", "Operations", "Guides", "Shop")
