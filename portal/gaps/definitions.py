"""The thresholds behind every figure of unresolved questions, each written down once.

`portal.gaps.reasons` applies them, and `templates/editor/_gap_definitions.html` shows them next to
the figures.

Settled
    A question of a person, written to its end: the same visitor did not go on writing or deleting
    it within `SETTLED_AFTER`. Blank questions, those of programs that say so, and those asked
    while meaning could not be searched (any mode but hybrid: an outage is no gap in the content)
    are left out. The same visitor asking the same again is one question, and what was shown the
    last time counts; visitors are told apart for one day, UTC.
Nothing found
    No result at all.
Low confidence
    Results, but the best of them below the calibrated threshold of its language.
No click
    A confident result that nobody opened within `JUDGED_AFTER`; asked on a page or while typing,
    as programs' clicks cannot be seen. Where an answer stood above the results it counts as read,
    and nothing is missing, unless the visitor asked something else within `READ_AFTER`.
Not helpful
    The visitor's latest vote on an article or answer, reached by this question, says no.
Handed over
    The visitor passed the question on to a person. Without a question in it, the last one they
    asked within `JUDGED_AFTER` before is meant.
Sent anyway
    A form was sent although it had shown articles; the question is the last text that was looked
    up for it.
"""

from __future__ import annotations

from datetime import timedelta

SETTLED_AFTER = timedelta(seconds=10)
"""Pause after which a question counts as written to its end."""
READ_AFTER = timedelta(seconds=20)
"""How long nothing else is asked by somebody who reads the answer that is shown."""
JUDGED_AFTER = timedelta(minutes=30)
"""The length of a visit: what has not been opened by then was not wanted."""
FOLLOWED_FOR = timedelta(days=1)
"""How long after its day a click or vote still belongs to a question."""
TRACKED = ("page", "typed")
"""Channels whose clicks are seen. No data is not the same as no click."""
HALF_LIFE = timedelta(days=14)
"""A visitor counts half as much for every one that has passed since they asked."""
PERIOD = timedelta(days=90)
"""Questions asked in it are grouped into gaps."""
SHOWN = timedelta(days=30)
"""What figures are counted over unless another period is chosen; the trend compares with the same
time before."""
LEAST = 3
"""Visitors from which the queue, the digest and the feed tell of a gap: fewer may be chance."""
SPIKE_LEAST = 4
"""Visitors of the last seven days that can be a spike: from one to two is chance."""
SPIKE_TIMES = 2
"""How many times the visitors of the seven days before make a spike."""
