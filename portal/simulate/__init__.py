"""Plays visitors who never were, so that a newcomer sees a living report at once: `kb simulate`.

Every simulated visitor's key begins with `PREFIX`, which no real key can, so that a log that has
met a real visitor is never mixed with one that was played.
"""

PREFIX = "sim-"
EDITORS = ("sim-anna", "sim-wei")
"""Who works on the gaps of a simulation, so that what they did says that nobody did it."""
