"""Gaps: questions that mean the same and found no answer, as a queue that editors work through."""
