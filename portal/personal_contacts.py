"""Ways to reach a person: mail addresses, phones, accounts, links that open something private."""

from __future__ import annotations

import re
from collections.abc import Iterator

from phonenumbers import Leniency, PhoneNumberMatcher

from portal.personal import Finding, Kind
from portal.personal_numbers import END, START, cards

_FLAGS = re.IGNORECASE
_LOCAL = r"A-Za-z0-9\u00c0-\u024f.!%&'*/=?^_`{|}~+-"
_LABEL = r"[A-Za-z0-9\u00c0-\u024f](?:[A-Za-z0-9\u00c0-\u024f_-]{0,62})"
_HAN = r"\u4e00-\u9fff"
_PROVIDER = (
    r"(?:gmail|googlemail|outlook|hotmail|live|msn|yahoo|icloud|me|proton|protonmail|gmx|web|aol"
    r"|qq|163|126|139|189|sina|sohu|foxmail|aliyun|yeah)"
)
_TOP = (
    r"(?:com|net|org|edu|gov|info|biz|name|cn|hk|tw|sg|uk|us|de|fr|it|es|nl|eu|ie|au|ca|jp|kr|in"
    r"|io|co|me)"
)
_AT = r" ?(?:[(\[{<] ?(?:at|@|艾特) ?[)\]}>]|(?<![a-z])at(?![a-z])|艾特|圈a|#) ?"
_DOT = r"(?: ?[(\[{<] ?(?:dot|点|\.) ?[)\]}>] ?| dot |点| ?\. ?)"
_SPELT_DOT = r"(?: ?[(\[{<] ?(?:dot|点|\.) ?[)\]}>] ?| dot |点)"
# A dot with white space only behind it ends the sentence, and the address with it; before a domain
# that is no word, somebody mistyped the address.
_TIGHT_DOT = r"(?: ?[.]| [.] )"
_LOOSE_TOP = r"[.] (?:com|org|edu|gov|cn)(?![A-Za-z0-9])"
_EMAIL = re.compile(
    rf"(?<![{_LOCAL}])(?:[{_LOCAL}]++|(?<![{_HAN}])[{_HAN}]{{1,8}}) {{0,2}}@ {{0,2}}"
    rf"(?:{_LABEL}(?:{_TIGHT_DOT}{_LABEL}|{_LOOSE_TOP}|。{_TOP}(?![a-z]))+"
    rf"|[A-Za-z][A-Za-z0-9-]{{1,62}}+(?![\u00c0-\u024f_])|{_LABEL} ?[.] ?{_LABEL}"
    rf"|[A-Za-z][A-Za-z0-9-]{{1,62}}|[{_HAN}]{{1,10}}[.。][{_HAN}]{{2,3}})",
    _FLAGS,
)
_SPELT_EMAIL = re.compile(
    rf"(?<![\w.+-])[\w.+-]++{_AT}"
    rf"(?:[a-z0-9-]{{1,63}}+{_SPELT_DOT}(?:[a-z0-9-]{{1,63}}(?:{_SPELT_DOT}|{_TIGHT_DOT}))?{_TOP}"
    rf"|{_PROVIDER}{_DOT}(?:com|co|net|org|de|me)(?:{_DOT}(?:cn|uk|hk|tw|jp))?)(?![a-z0-9])",
    _FLAGS | re.ASCII,
)


def emails(view: str) -> Iterator[Finding]:
    """Mail addresses, also spelt out where nothing else can be meant."""
    if "@" in view:
        for match in _EMAIL.finditer(view):
            yield *_trimmed(view, *match.span()), Kind.EMAIL
    for match in _SPELT_EMAIL.finditer(view):
        yield *match.span(), Kind.EMAIL


def _trimmed(view: str, start: int, end: int) -> tuple[int, int]:
    """Without quotes and other marks that opened before the address."""
    while start < end and view[start] in "'`{|*/=?!&.":
        start += 1
    return start, end


_URL = re.compile(r"(?:https?://|www\.)[!-~]++", _FLAGS)
_UUID = re.compile(rf"{START}[0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}{END}", _FLAGS)
_SECRET = re.compile(r"[A-Za-z0-9_-]{20,}+")


def link_tokens(view: str) -> Iterator[Finding]:
    """The part of a link that lets its reader in: query, fragment, long random segments."""
    for match in _URL.finditer(view):
        for mark in re.finditer(r"[?#]", match[0]):
            if mark.end() < len(match[0]):
                yield match.start() + mark.end(), match.end(), Kind.LINK_TOKEN
            break
        for part in re.finditer(r"[A-Za-z0-9_-]{16,}+", match[0]):
            if len(re.findall(r"\d", part[0])) >= 4 and re.search("[A-Za-z]", part[0]):
                yield match.start() + part.start(), match.start() + part.end(), Kind.LINK_TOKEN
    for match in _UUID.finditer(view):
        yield *match.span(), Kind.LINK_TOKEN
    for match in _SECRET.finditer(view):
        token = match[0]
        changes = len(re.findall(r"\d[A-Za-z]", token))
        if changes >= 4 and "-" not in token[:3]:
            yield *match.span(), Kind.LINK_TOKEN


_ACCOUNT = re.compile(
    r"(?:(?:qq|扣扣|企鹅)(?:号码|号)?(?: ?(?:is|是|为))? ?[:：]? ?(?P<qq>[1-9]\d{4,11})(?!\d)"
    r"|(?:微信号?|wechat(?: id)?|weixin|wxid|旺旺号?|whatsapp|line id|telegram)(?: ?(?:is|是|为))?"
    r" ?[:：]? ?(?P<handle>(?=[a-z_-]{0,19}\d)[a-z][a-z0-9_-]{5,19})"
    r"|(?<![a-z])(?:account|acct|a/c)(?: (?:number|no\.?|id))?(?: ?is)? ?[:#]? ?"
    r"(?P<account>\d{6,12})(?!\d)"
    r"|sort code(?: ?is)? ?:? ?(?P<sort>\d\d[ -]?\d\d[ -]?\d\d)(?!\d)"
    r"|(?:账号|账户|帐号|帐户|卡号)(?:是|为)? ?[:：]? ?(?P<han>\d{6,})(?!\d))",
    _FLAGS,
)


def accounts(view: str) -> Iterator[Finding]:
    """Messenger and bank accounts, which only the words in front give away."""
    for match in _ACCOUNT.finditer(view):
        yield *match.span(str(match.lastgroup)), Kind.ACCOUNT


_GAP = r"[ .\-()/]{0,3}"
_MOBILE = re.compile(rf"(?<!\d)1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)")
_HAN_MOBILE = re.compile(
    r"(?<![零〇一二三四五六七八九幺])[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}(?![零〇一二三四五六七八九幺])"
)
_LANDLINE = re.compile(
    r"(?<!\d)\(?0(?:10|2\d|[3-9]\d\d)\)?[ -]{0,3}[2-9]\d{2,3}[ -]?\d{4}"
    r"(?:(?:[ -]|转|ext\.? ?)\d{1,5})?(?!\d)"
    r"|(?<!\d)0\d{2,5}/\d{5,9}(?!\d)"  # Germany
)
_INTERNATIONAL = re.compile(
    rf"(?<![\d+])(?:(?:\+ ?|00)[1-9](?:{_GAP}\d){{7,14}}|86{_GAP}1[3-9](?:{_GAP}\d){{9}})(?!\d)"
)
_IN_A_NUMBER = re.compile(r"\d[ -]?\Z")
_PHONE_MARK = re.compile(
    r"(?:(?<![a-z])(?:phone|telephone|tel|mobile|cell|call|text|ring|whatsapp|dial|my number)\.?"
    r"(?: ?(?:phone|number|no\.?|is|me|us|him|her|back|on|at|under|:|：))*"
    r"|电话|手机|手机号|号码|联系方式|致电|座机)(?:号码|号)?(?:是|为)? ?[:：]? ?"
    rf"(?P<number>[+(]?\d(?:{_GAP}\d){{6,14}})(?!\d| ?(?:gb|tb|mm|元))",
    _FLAGS,
)


def international_phones(view: str) -> Iterator[Finding]:
    """Numbers with a country code; before cards, whose checksum one phone in ten satisfies.

    The end of a card is none, though its second group may begin as a country code does.
    """
    found = [match.span() for match in _INTERNATIONAL.finditer(view)]
    ends = {end for _start, end, _kind in cards(view)} if found else set()
    for start, end in found:
        is_the_end_of_one = (
            end in ends
            and view[start : start + 2] == "00"
            and (_IN_A_NUMBER.search(view[max(0, start - 2) : start]) is not None)
        )
        if not is_the_end_of_one:
            yield start, end, Kind.PHONE


def marked_and_chinese_phones(view: str) -> Iterator[Finding]:
    """Chinese mobiles and landlines by their form, and any number said to be a phone."""
    for match in _MOBILE.finditer(view):
        groups = re.findall(r"\d+", match[0])
        if len(groups) <= 5 or len(groups) == 11:  # anything between is a list of sizes
            yield *match.span(), Kind.PHONE
    for pattern in (_HAN_MOBILE, _LANDLINE):
        for match in pattern.finditer(view):
            yield *match.span(), Kind.PHONE
    for match in _PHONE_MARK.finditer(view):
        yield *match.span("number"), Kind.PHONE


_REGIONS = (
    "CN",
    "US",
    "GB",
    "HK",
    "SG",
    "TW",
    "MO",
    "AU",
    "IE",
    "FR",
    "DE",
    "ES",
    "IT",
    "NL",
    "JP",
    "KR",
    "IN",
)
_CHAIN = re.compile(r"(?<![A-Za-z0-9])[+(]{0,2}\d(?:[ ().+-]{0,3}\d){6,29}")
_BUDGET = 1000
_LEAST = 25


def grouped_phones(view: str) -> Iterator[Finding]:
    """Numbers grouped the way some region groups its phones.

    Strict grouping is what tells `020 7946 0958` from a list of sizes. The library costs
    milliseconds for every chain of digits, so after `_BUDGET` characters a chain is taken for a
    number unasked: nobody writes forty of them into an honest question.
    """
    spent = 0
    for match in _CHAIN.finditer(view):
        if spent >= _BUDGET:
            yield *match.span(), Kind.PHONE
            continue
        spent += max(_LEAST, len(match[0]))
        for region in _REGIONS:
            found = list(PhoneNumberMatcher(match[0], region, leniency=Leniency.STRICT_GROUPING))
            for phone in found:
                yield match.start() + phone.start, match.start() + phone.end, Kind.PHONE
            if found:
                break
