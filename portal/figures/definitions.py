"""What every figure on the editors' pages counts, each written down once.

A figure of a day is counted from what happened on that day, UTC: visitors' keys change at midnight
(`portal.visitors`), so nobody can be followed further, and days can be added up. Only a click or
vote that names the search it came from counts for that search, on whatever day it comes.

Question
    A settled question as `portal.gaps.definitions` has it: of a person, written to its end, each
    of a visitor's questions once a day.
Answer rate
    Questions whose best result was above the calibrated threshold, of all questions.
Unresolved rate
    Unresolved questions, each with its reasons, of all that were asked: in the search, and
    `elsewhere`, passed to a person or sent by a form without a search for the same words. Exactly
    what the queue of gaps is made of (`portal.gaps.reasons`). A question may have several reasons.
Click-through
    Questions of which a result was opened, of those that had results on a channel whose clicks
    are seen. Without such a question there is no rate: no data is not 0.
Helpfulness
    Yes of yes and no, the latest vote of each visitor on an article, with the Wilson interval.
Search exits
    Questions that were the last thing in their visit: no answer stood above the results, nothing
    was opened and nobody was asked afterwards. A visit ends with a pause of `VISIT`.
Refinements
    Questions after which the visitor, having opened nothing, asked something else within
    `REFINED_AFTER`.
Hand-overs
    Questions passed on to a person, also those without a search before.
Reads
    Articles opened by people.
Visitors
    Distinct visitors who asked, each counted once a day, where their first question belongs.
"""

from __future__ import annotations

from datetime import timedelta

from portal.gaps.definitions import JUDGED_AFTER

VERSION = 1
"""Raised with every change of a definition: days counted by an older one are counted anew."""
VISIT = JUDGED_AFTER
"""The pause after which whatever comes next belongs to another visit."""
REFINED_AFTER = timedelta(minutes=2)
"""How soon the next question must come to be the same one in other words."""
FINAL_AFTER = timedelta(hours=1)
"""How long after its end a day is added up for good; until then it is counted from the log."""
