"""Forms that answer before they are sent: which there are, what they show, and what came of it."""
