"""Numbers that name a person or a purchase: orders, parcels, cards, accounts, identities."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn
from stdnum.cn import ric
from stdnum.us import ssn

from portal.personal import Finding, Kind

# \b sees no border between a Han character and a Latin letter, so borders are spelt out.
START = r"(?<![A-Za-z0-9])"
END = r"(?![A-Za-z0-9])"
_FLAGS = re.IGNORECASE

_ALONE = r"(?<![\d.,])(?<!\d[ -])"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_MONTH = r"(?:1[0-2]|0?[1-9])"
_UNIT = (
    r"元|块|圆|円|%|days?|weeks?|months?|years?|hours?|yuan|dollars?|pounds?|euros?|usd|eur|gbp"
    r"|rmb|cny|jpy|hkd|gb|tb|mb|mah|mm|cm|kg|天|日|个|件|小时|分钟|月|年|号线"
)
_MONEY = r"(?:[$¥€£₩]|(?<![a-z])(?:rmb|cny|usd|eur|gbp|jpy|hkd))"
_KEPT = re.compile(
    rf"{_ALONE}{_YEAR}([-/.]){_MONTH}\1{_DAY}(?:[T ]\d\d?:\d\d(?::\d\d)?)?(?!\d|[-/.]\d)"
    rf"|{_ALONE}{_DAY}([-/.]){_MONTH}\2{_YEAR}(?!\d|[-/.]\d)"
    rf"|{_ALONE}{_MONTH}/{_DAY}/{_YEAR}(?!\d|[-/.]\d)"
    rf"|{_MONEY} ?(?:\d{{1,3}}(?:,\d{{3}}){{1,4}}|\d{{1,8}})(?:\.\d\d?)?(?!\d)"
    rf"|{_ALONE}\d{{1,8}}(?:\.\d\d?)? ?(?:{_UNIT})(?![a-z])",
    _FLAGS,
)


def amounts_and_dates(view: str) -> Iterator[Finding]:
    """What a question is about rather than who asks it: kept, and hidden from the other rules."""
    for match in _KEPT.finditer(view):
        yield *match.span(), None


_IBAN = re.compile(START + r"[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]){11,30}+", _FLAGS)
_IBAN_CHECKS = 400


def ibans(view: str) -> Iterator[Finding]:
    """Account numbers whose checksum holds, even when words follow without punctuation.

    The library is asked a limited number of times; what then still looks like an IBAN is one.
    """
    checks = 0
    for match in _IBAN.finditer(view):
        places = [place for place in range(*match.span()) if view[place].isalnum()]
        compact = "".join(view[place] for place in places)
        if checks > _IBAN_CHECKS:
            yield *match.span(), Kind.IBAN
            continue
        for length in range(len(places), 14, -1):
            checks += 1
            if iban.is_valid(compact[:length]):
                yield places[0], places[length - 1] + 1, Kind.IBAN
                break


_SEP = r"[ ._-]{0,3}"
_SHOP_NUMBER = re.compile(
    rf"{START}(?:WF{_SEP}\d{{3}}{_SEP}\d{{3}}{_SEP}\d{{3}}|(?:RT|BY){_SEP}\d\d{_SEP}\d{{4}}){END}"
    rf"|{START}(?-i:[A-Z]{{2,3}})-\d{{2,4}}-\d{{3,}}(?:-\d{{3,}})*{END}"  # other sellers
    rf"|{START}\d{{3}}-\d{{7}}-\d{{7}}{END}"  # Amazon
    rf"|{START}\d\d-\d{{5}}-\d{{5}}{END}"  # eBay
    rf"|{START}\d{{6}}-\d{{15}}{END}",  # Pinduoduo
    _FLAGS,
)
_TOKEN = r"(?P<token>[A-Z0-9](?:[A-Z0-9]|-(?=[A-Z0-9]))*+)"  # noqa: S105
_NUMBERED = r"(?: ?(?P<sure>numbers?|no\.?|num|nr|id|code|#)(?![a-z]))?"
_ENGLISH_MARK = re.compile(
    rf"{START}(?P<what>order|return|refund|ticket|case|reference|ref|rma|invoice|claim|booking"
    rf"|transaction|exchange|service|tracking|shipment|parcel|waybill|consignment)"
    rf"{_NUMBERED} ?(?:is|was|[:=])?:? ?(?P<hash>\#)? ?{_TOKEN}",
    _FLAGS,
)
_HAN_MARK = re.compile(
    rf"(?P<what>订单|快递|物流|运单|包裹|退货|退款|售后|工单|发票|流水|交易|服务)?"
    rf"(?P<sure>单号|编号|号码|号)?(?:是|为)? ?[:：]? ?(?P<hash>\#)? ?{_TOKEN}",
    _FLAGS,
)
_PARCEL = frozenset(("快递", "物流", "运单", "包裹"))
_PARCEL_ENGLISH = frozenset(("tracking", "shipment", "parcel", "waybill", "consignment"))


def order_numbers(view: str) -> Iterator[Finding]:
    """The shop's own numbers by their form, anybody's by the words in front."""
    for match in _SHOP_NUMBER.finditer(view):
        yield *match.span(), Kind.ORDER
    for pattern in (_ENGLISH_MARK, _HAN_MARK):
        for match in pattern.finditer(view):
            what = (match["what"] or "").lower()
            sure = bool(match["hash"]) or bool(match["sure"])
            if not what and not match["hash"] and match["sure"] not in ("单号", "编号"):
                continue
            digits = sum(map(str.isdigit, match["token"]))
            if digits >= (4 if sure else 6):
                parcel = what in _PARCEL or what in _PARCEL_ENGLISH
                yield *match.span("token"), Kind.TRACKING if parcel else Kind.ORDER


_TRACKING = re.compile(
    rf"{START}1Z(?: ?[A-Z0-9]){{16}}{END}"
    rf"|{START}[A-Z]{{2}}\d{{9}}[A-Z]{{2}}{END}"
    rf"|{START}(?-i:[A-Z]{{2}}) ?\d{{3}} ?\d{{3}} ?\d{{3}} ?(?-i:[A-Z]{{2}}){END}"
    rf"|{START}(?:SF|YT|JD[A-Z]{{0,3}}|JT|ZTO|STO|YD|EMS|DPK|LP|TBA|UC|CNG?)[ -]?\d{{8,}}{END}",
    _FLAGS,
)
_MIXED = re.compile(r"[A-Z0-9]{9,}+", _FLAGS)
_DIGITS = re.compile(r"\d{9}")


def tracking_numbers(view: str) -> Iterator[Finding]:
    """Couriers' numbers by their form, and any long mix of letters and digits (serial numbers)."""
    for match in _TRACKING.finditer(view):
        yield *match.span(), Kind.TRACKING
    for match in _MIXED.finditer(view):
        token = match[0]
        digits = sum(map(str.isdigit, token))
        resident = digits == 17 and token[-1] in "xX"
        if digits == len(token) or resident:
            continue
        if _DIGITS.search(token) or (len(token) >= 12 and digits >= 6):
            yield *match.span(), Kind.TRACKING


_RESIDENT = re.compile(r"(?<!\d)\d{6}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3}[ -]?[\dX](?![A-Z0-9])", _FLAGS)
_SOCIAL = re.compile(rf"{START}\d{{3}}-\d\d-\d{{4}}{END}")
_OTHER_IDENTITY = re.compile(
    rf"{START}(?-i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]) ?\d\d ?\d\d ?\d\d ?(?-i:[A-D]){END}"  # NINO
    rf"|{START}(?-i:[A-Z]\d{{6}})\([\dA]\)"  # Hong Kong
    rf"|{START}(?-i:[A-Z]{{1,2}})\d{{8}}{END}"  # passports, travel permits
)
_IDENTITY_MARK = re.compile(
    rf"(?:passport|national id|id card|driving licence|driver'?s license|护照|身份证|证件|通行证)"
    rf"{_NUMBERED}(?:号码|号)?(?: ?(?:is|was|是|为))? ?[:：]? ?{_TOKEN}",
    _FLAGS,
)


def identity_numbers(view: str) -> Iterator[Finding]:
    """Resident numbers by checksum, papers by their form or the words in front."""
    for match in _RESIDENT.finditer(view):
        if ric.is_valid(re.sub("[ -]", "", match[0])):
            yield *match.span(), Kind.ID_NUMBER
    for match in _SOCIAL.finditer(view):
        if ssn.is_valid(match[0]):
            yield *match.span(), Kind.ID_NUMBER
    for match in _OTHER_IDENTITY.finditer(view):
        yield *match.span(), Kind.ID_NUMBER
    for match in _IDENTITY_MARK.finditer(view):
        if sum(map(str.isdigit, match["token"])) >= 6:
            yield *match.span("token"), Kind.ID_NUMBER


_CARD = re.compile(
    r"(?<!\d)(?P<short>\d{4}[ -]{1,2}\d{4}[ -]{1,2}\d{4}[ -]{1,2}\d{4})(?:[ -]{1,2}\d{3})?(?!\d)"
    r"|(?<!\d)(?:\d{4}[ -]{1,2}\d{6}[ -]{1,2}\d{5}|\d(?:[ -]?\d){12,18})(?!\d)"
)
_CARD_CODE = re.compile(
    r"(?:cvv2?|cvc2?|安全码)(?: ?(?:is|code|是|为))? ?[:：]? ?(\d{3,4})(?!\d)", _FLAGS
)


def cards(view: str) -> Iterator[Finding]:
    """Bank cards by Luhn's checksum, however they are grouped, and the code beside one."""
    for match in _CARD.finditer(view):
        for group in (0, "short"):
            if match[group] and luhn.is_valid(re.sub("[ -]", "", match[group])):
                yield *match.span(group), Kind.CARD
                break
    for match in _CARD_CODE.finditer(view):
        yield *match.span(1), Kind.CARD


_GROUPED = re.compile(
    r"(?<!\d)\d{3,}(?:[ -]\d{3,})+(?:[ -]\d{1,2})?(?!\d)|(?<!\d)\d{2,}(?:-\d{2,})+(?!\d)"
)
_LONG = re.compile(r"\d{9,}+")
_SPACED = re.compile(r"(?<![\d.])\d(?:[ .-]\d){8,}(?!\d)")


def long_numbers(view: str) -> Iterator[Finding]:
    """Digits too many to be an amount, a size or a date, whatever they are."""
    for match in _LONG.finditer(view):
        yield *match.span(), Kind.ORDER
    for match in _GROUPED.finditer(view):
        groups = re.split("[ -]", match[0])
        years = all(len(group) == 4 and group[:2] in ("19", "20") for group in groups)
        if sum(map(len, groups)) >= 12 and not years:
            yield *match.span(), Kind.ORDER
    for match in _SPACED.finditer(view):
        if sum(map(str.isdigit, match[0])) >= 11:
            yield *match.span(), Kind.ORDER
