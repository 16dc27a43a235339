"""Core: the made-up names and sentences that seeded records are put together from."""

from __future__ import annotations

PLACES = (
    "Harbour",
    "Bergslag",
    "Nordwind",
    "Île Verte",
    "Sakura",
    "Puna",
    "Kestrel",
    "Ødegård",
    "Tamarind",
    "Blackwater",
    "Zürichsee",
    "Orchard",
)
TRADES = (
    "Pumps",
    "Logistics",
    "Clinic",
    "Bakery",
    "Solar",
    "Shipyard",
    "Press",
    "Dental",
    "Robotics",
    "Farms",
    "Glassworks",
    "Museum",
)
FIRST_NAMES = (
    "Kim",
    "Aroha",
    "Søren",
    "Chidi",
    "Łucja",
    "Mateo",
    "Yuki",
    "Noor",
    "Bram",
    "Inês",
    "Dmitri",
    "Ffion",
)
LAST_NAMES = (
    "Rask",
    "Moreau",
    "Tanaka-Web",
    "O'Dell",
    "Nilsen",
    "Achterberg",
    "Quispe",
    "Farouk",
    "Brânză",
    "Lowe",
    "Szabó",
    "Igwe",
)
THINGS = (
    "pump P-7",
    "invoice 4711",
    "sensor gateway",
    "the portal login",
    "spare part 88-A",
    "Kühlkreislauf",
    "delivery note",
    "配电箱",
    "firmware 3.2",
)
TROUBLES = (
    "loses pressure",
    "shows the wrong amount",
    "does not answer",
    "arrived damaged",
    "needs a new seal",
    "läuft zu heiß",
    "blinks red 🔴",
)
SENTENCES = (
    "It began on Monday after the restart.", "We tried the steps of the manual twice.", 'The display says "E-42; check seal".',
    "Kosten bisher: 1.240,50 €.", "Please call before noon.", "Voir la pièce jointe, s.v.p.", "写真を送ります。", "No one was hurt.",
)  # fmt: skip
TOPICS = ("Install", "Safety", "Invoice", "Spare parts")
