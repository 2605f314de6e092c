"""How shares, differences and verdicts of proofs are put into words."""

from __future__ import annotations

from flask_babel import format_decimal
from flask_babel import gettext as _

from portal.editor.charts import percent, points
from portal.forms.intervals import Difference, Share
from portal.gaps.evidence import LEAST_VISITORS
from portal.gaps.live import Look


def interval(share: Share | None) -> str:
    """`3 of 4, 75% (30.1% to 95.4%)`; a dash where there was nothing to count."""
    if share is None:
        return "–"
    return str(
        _("%(count)s of %(of)s, %(share)s (%(low)s to %(high)s)", count=share.count, of=share.of,
          share=percent(share.value), low=percent(share.low), high=percent(share.high))
    )  # fmt: skip


def fall(difference: Difference | None) -> str:
    """A difference of shares in percentage points, with its interval."""
    if difference is None:
        return "–"
    return str(
        _("%(value)s points (%(low)s to %(high)s)", value=points(-difference.value),
          low=points(-difference.high), high=points(-difference.low))
    )  # fmt: skip


def amount(difference: Difference | None) -> str:
    """A number of hand-overs with its interval."""
    if difference is None:
        return "–"
    value, low, high = (
        format_decimal(round(part, 1), "0.#;−0.#")
        for part in (difference.value, difference.low, difference.high)
    )
    return str(_("%(value)s (%(low)s to %(high)s)", value=value, low=low, high=high))


def verdict_words(look: Look) -> str:
    """What live traffic says of a gap, in a sentence."""
    counts = look.evidence.counts
    if look.verdict == "closed":
        return str(_("Closed by evidence: fewer visitors are left without an answer than before."))
    if look.verdict == "reopened":
        return str(_("Reopened: visitors still ask this and find no answer."))
    if counts.after < LEAST_VISITORS:
        return str(
            _("Not enough yet: %(seen)s of at least %(least)s visitors have asked since.",
              seen=counts.after, least=LEAST_VISITORS)
        )  # fmt: skip
    return str(_("Not clear yet: the intervals before and after overlap too much."))
