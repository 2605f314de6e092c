"""What a browser calls itself, in words: `Firefox on Windows` instead of a line of codes."""

from __future__ import annotations

import re

from flask_babel import gettext as _

_VARIANT = re.compile(r"\b(?:Mobile|iOS|WebView)\b")
_SYSTEMS = {"Mac OS X": "macOS"}
_DEVICES = frozenset({"iPhone", "iPad"})
"""Which people know better than the system they have."""


def browser_words(agent: str) -> str:
    """The browser and the system of a `User-Agent`, as far as they are known."""
    from ua_parser import parse  # its rules take a fifth of a second, on this page alone

    found = parse(agent)
    family = found.user_agent.family if found.user_agent else ""
    browser = " ".join(_VARIANT.sub("", family).split()) or family
    system = found.os.family if found.os else ""
    if found.device and found.device.family in _DEVICES:
        system = found.device.family
    system = _SYSTEMS.get(system, system)
    if not system:
        return browser or str(_("Unknown browser"))
    if not browser:
        return str(_("Unknown browser on %(system)s", system=system))
    return str(_("%(browser)s on %(system)s", browser=browser, system=system))
