"""Where people live: houses in Chinese and European addresses, as far as rules can tell.

A town or a district alone says too little to hide and is often what the question is about, so
every rule starts from a house number and widens from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from portal.personal import Finding, Kind

_FLAGS = re.IGNORECASE
_HAN = r"\u4e00-\u9fff"

_NUMERAL = (
    r"(?:[A-Z]?\d{1,5}(?:-\d{1,5}){0,3}[A-Z]?|[A-Z]|[甲乙丙丁东西南北]"
    r"|[一二三四五六七八九十百]{1,4})"
)
_ROOM = rf"(?:[ ,，]{{0,2}}第?{_NUMERAL} ?(?:号楼|号院|栋|幢|座|单元|门|楼|层|室|号|户|房))"
_DOOR = r"(?:[ ,，-]{0,2}\d{2,5}(?:-\d{1,5}){0,3}(?! ?[\d天元块个件月日年%]))"
_ESTATE = r"(?:小区|花园|花苑|公寓|家园|家属院|新村|新城|大厦|宿舍|广场|大院|中心|[苑城府园])"
_HOUSES = re.compile(
    # 文三路90号东部软件园2号楼301室, 延安西路1023弄5号
    rf"(?:大道|(?<![知渠频通味报赛管轨])道|路|街|巷|胡同|弄堂)(?:[东西南北中][段路街])? ?"
    rf"(?:\d{{1,5}} ?弄 ?)?\d{{1,5}}(?:-\d{{1,4}})? ?(?:号楼|号院|号(?!线)|弄)"
    rf"(?:[ ,，]?[{_HAN}]{{2,12}}?(?={_ESTATE}|号楼|楼){_ESTATE}?)?{_ROOM}{{0,5}}{_DOOR}?"
    # 阳光花园二期3栋2单元501
    rf"|{_ESTATE}(?:[东西南北一二三四五六]{{1,2}}[区期苑])? ?{_NUMERAL} ?"
    rf"(?:号楼|栋|幢|座|单元|号(?={_ROOM})){_ROOM}{{0,4}}{_DOOR}?"
    # 王家村3组12号
    rf"|[村乡镇屯](?:[{_HAN}]{{0,4}}\d{{1,3}} ?[组队屯社])? ?\d{{1,5}} ?号(?!线){_ROOM}{{0,4}}"
    rf"|村[{_HAN}]{{0,4}}\d{{1,3}} ?[组队社]",
)
_FLATS = re.compile(
    rf"(?<!\d)\d{{1,3}} ?(?:号楼|栋|幢)(?:{_ROOM}{{0,3}}{_DOOR}|{_ROOM}{{1,4}})"
    rf"|(?<!\d)\d{{1,3}} ?座(?:{_ROOM}{{1,3}})"
    r"|(?<!\d)\d{1,2} ?单元 ?\d{2,4} ?(?:室|房|号|户)?(?!\d)"
    r"|信箱 ?[:：]? ?\d{1,6}|\d{1,6} ?号?信箱(?: ?\d{1,4} ?分箱)?"
)
_PROVINCE = re.compile(
    r"北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南"
    r"|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_DISTRICT = re.compile(r"[省市区县旗镇乡]|街道")
_LEAD = re.compile(
    r"地址|寄[到往去给]|送[到往去]|发[到往]|搬[到去]|改[成为到]|换[成到]|住[在到]?|家在|我在|位于|来自|退到"
    r"|[填写]成|[填写]的|就在|还是|是|为|在|到|寄|从|[:：]"
)
_RUN = re.compile(rf"[{_HAN}A-Za-z0-9:： ,，]*\Z")
_WIDEST, _ROAD_NAME, _TOWN_NAME = 45, 6, 4


def han_addresses(view: str) -> Iterator[Finding]:
    """Chinese addresses from the province, if it is there, to the door."""
    for match in _HOUSES.finditer(view):
        yield _widened(view, match.start()), match.end(), Kind.ADDRESS
    for match in _FLATS.finditer(view):
        yield *match.span(), Kind.ADDRESS


def _widened(view: str, house: int) -> int:
    """Where the address begins whose house part begins at `house`."""
    run = _RUN.search(view[max(0, house - _WIDEST) : house])
    text = run[0] if run else ""
    begin = house - len(text)
    if province := _PROVINCE.search(text):
        return begin + province.start()
    district = _DISTRICT.search(text)
    first = district.start() if district else len(text)
    lead = max((mark.end() for mark in _LEAD.finditer(text[:first])), default=0)
    start = max(lead, first - (_TOWN_NAME if district else _ROAD_NAME))
    return begin + len(text[:start]) + len(text[start:]) - len(text[start:].lstrip(" ,，:："))


_POSTCODE = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d"
    r"|(?:[A-Z]{2,3}[ ,]{1,2})?\d{4,5}(?:-\d{4})?)(?![A-Za-z0-9])"
)
_TOWN = rf"(?:(?:[ ,\n]{{1,3}}[A-Z][A-Za-z'.-]{{1,20}}){{0,5}}[ ,\n]{{1,3}}{_POSTCODE})?"
_TOWN_AFTER_CODE = r"(?:[ ,\n]{1,3}\d{4,5} [A-Z][\w'-]{1,30}(?:[ -][A-Z][\w'-]{1,30}){0,2})?"
_FLAT = (
    r"(?:(?i:flat|apt\.?|apartment|unit|suite|ste|room|rm|floor|\#) ?\#?[A-Z0-9-]{1,5}"
    r"(?![A-Za-z0-9]))"
)
_NUMBER = rf"(?<![A-Za-z0-9.,$£€¥-])(?:{_FLAT},? )?\d{{1,5}}(?:[-/]\d{{1,4}})?[A-Za-z]?"
_SURE = r"street|road|avenue|lane|boulevard|crescent|terrace|parkway|highway"
_SHORT = r"st|rd|ave|blvd|ln|dr|ct|hwy|pkwy|cres"
_CAPITALISED = (
    r"Drive|Way|Court|Place|Pl|Square|Sq|Close|Gardens|Grove|Hill|Row|Walk|Mews|Quay|Wharf"
    r"|DRIVE|WAY|COURT|PLACE|SQUARE|CLOSE|GARDENS|GROVE|HILL|ROW|WALK|MEWS"
)
_STREET = re.compile(
    rf"{_NUMBER},? (?:[A-Z][\w'.-]{{0,20}} ){{1,4}}"
    rf"(?:(?i:{_SURE}|{_SHORT})|{_CAPITALISED})(?![\w-])\.?"
    rf"(?:,? {_FLAT})?{_TOWN}"
)
_LOWER_STREET = re.compile(
    rf"(?P<hint>(?:address|live|lives|lived|living|deliver|delivered|ship|shipped|sent|send|moved"
    rf"|at|to|from|is)[ :]{{1,2}}(?:(?:is|it|at|to|on|my|our|new) ){{0,2}})?"
    rf"(?P<street>{_NUMBER},? (?P<words>(?:[a-z][\w'.-]{{0,20}} ){{1,3}})"
    rf"(?:{_SURE}|{_SHORT})(?![\w-])"
    rf"(?:,? {_FLAT})?{_TOWN})(?P<end> *(?:[,.;:!?\n)]|$| (?:and|but|in|not|please)\b))?",
    _FLAGS,
)
_NOT_A_STREET = re.compile(
    r"(?<![a-z])(?:an?|and|any|at|be|but|by|days?|few|for|from|gb|hours?|i|in|inch|is|it|items?|large"
    r"|met[re]{2}s?|miles?|minutes?|months?|more|my|new|of|off|old|on|open|or|orders?|out|over"
    r"|packages?|pairs?|parcels?|pcs|per|percent|pieces?|pounds?|small|than|that|the|their|this|times"
    r"|to|under|was|weeks?|which|with|years?|your?)(?![a-z])",
    _FLAGS,
)
_PRODUCT = re.compile(
    r"(?<![a-z])(?:external|flash|hard|max|mini|pen|plus|portable|pro|ssd|ultra|usb)(?![a-z])",
    _FLAGS,
)
_CONTINENTAL = re.compile(
    r"(?<![A-Za-z0-9.,$£€¥-])\d{1,4}(?: ?(?:bis|ter))?,? "
    r"(?:(?i:rue|boulevard|bd|allée|chemin|impasse|quai) (?:(?i:de|du|des|la|le|les) ){0,2}"
    r"|(?i:avenue|av\.|place|cours|route|square) (?:(?i:de|du|des|la|le|les) ){0,2}(?=[A-Z]|[ld]'))"
    rf"(?:[ld]')?[\w'-]{{2,30}}(?: [A-Z][\w'-]{{1,30}}){{0,3}}{_TOWN_AFTER_CODE}"
    r"|(?<!\w)[A-ZÄÖÜ][\w-]{1,30}?(?:straße|strasse|str\.|weg|allee|platz|gasse)"
    rf" \d{{1,4}} ?[a-z]?(?!\w){_TOWN_AFTER_CODE}"
    r"|(?<!\w)(?i:calle|avenida|avda\.?|paseo|carrer|viale|piazza) "
    rf"(?:[\w'.-]{{1,20}} ){{0,4}}?[\w'.-]{{2,20}},? (?:n[o.º°]{{0,2}} ?)?"
    rf"\d{{1,4}}(?!\w){_TOWN_AFTER_CODE}"
)
_BOX = re.compile(r"(?<![a-z])p\.? ?o\.? ?box ?(?:no\.?|#)? ?\d{1,6}(?!\d)", _FLAGS)
_MARKED_CODE = re.compile(
    r"(?:post ?code|zip(?: ?code)?|邮编|邮政编码)(?: ?(?:is|是|为))? ?[:：]? ?"
    r"(?P<code>[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{5,6}(?:-\d{4})?)"
    r"(?![A-Z0-9])",
    _FLAGS,
)


def english_addresses(view: str) -> Iterator[Finding]:
    """A house number with its street, flat, town and postcode; boxes; postcodes called so."""
    for match in _STREET.finditer(view):
        if not _PRODUCT.search(match[0]):
            yield *match.span(), Kind.ADDRESS
    for pattern in (_CONTINENTAL, _BOX):
        for match in pattern.finditer(view):
            yield *match.span(), Kind.ADDRESS
    for match in _LOWER_STREET.finditer(view):
        placed = match["hint"] is not None or match["end"] is not None
        if placed and not _NOT_A_STREET.search(match["words"]):
            yield *match.span("street"), Kind.ADDRESS
    for match in _MARKED_CODE.finditer(view):
        yield *match.span("code"), Kind.ADDRESS
