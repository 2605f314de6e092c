"""Online, read only: questions in, passages and answers out.

Knows nothing of Flask, of the environment or of the event log.
"""
