"""Names, only where the writer says that one follows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from portal.personal import Finding, Kind

_HAN = r"\u4e00-\u9fff"
_SURNAME = (
    r"(?:欧阳|司马|上官|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|端木|独孤|南宫"
    r"|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟"
    r"姜崔谭陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱侯江尹薛阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔汤温康施牛樊葛"
    r"邢齐庞伍庄聂鲁岳翟殷詹俞涂耿倪纪梅翁芦祝柯阮欧骆邬符房闫辛关裴柳路焦祁季娄])"
)
_NOT_GIVEN = r"我你您他她它的是在要想买订退不了和就有吗呢吧来去没说给把被跟什谁啥怎"
_FULL_NAME = rf"{_SURNAME}(?:·?(?![{_NOT_GIVEN}]|先生|女士|小姐)[{_HAN}]){{1,2}}"
_WORDS = r"任何|何时|方便|高级|马上|金额|万一|路上|关于|关闭|严重|康复|安装|白色|黄色|温度|高度"
_HAN_NAME = re.compile(
    rf"(?:我叫|我的名字(?:是|叫)|本人(?:叫|姓名)|姓名(?:是|为|叫)|(?:收件人|收货人|联系人|签收人|寄件人|户名|开户名|持卡人)(?:姓名)?(?:是|为|叫)?)"
    rf" ?(?P<name>(?!{_WORDS}){_FULL_NAME})(?=[^{_HAN}]|$|[{_NOT_GIVEN}电手住地号订])"
    rf"|(?:姓名|收件人|收货人|联系人|签收人|寄件人|户名|开户名|持卡人) ?[:：] ?"
    rf"(?P<field>(?!{_WORDS}|[{_NOT_GIVEN}])(?:[{_HAN}]{{2,4}}(?:·[{_HAN}]{{1,6}}){{0,3}}(?![{_HAN}])|{_FULL_NAME}"
    rf"|[A-Z][A-Za-z'-]{{1,20}}(?: [A-Z][A-Za-z'-]{{0,20}}){{0,2}}))"
)

_WORD = r"[A-Z\u00c0-\u00de][\w'’-]{1,25}"
_CAPITALISED = rf"{_WORD}(?: (?:[A-Z]\.? )?(?:de |van |von |der |la |O')?{_WORD}){{0,2}}"
_SAID = re.compile(
    r"(?<![A-Za-z])(?:[Mm]y (?:full |real |last |first )?name(?:'s| is)|I am called|[Mm]y name:"
    r"|(?:[Cc]ardholder|[Rr]ecipient|[Aa]ccount holder|[Ff]ull [Nn]ame|[Cc]ustomer [Nn]ame|[Nn]ame)"
    rf"(?: is|:) ?) ?(?P<name>{_CAPITALISED})"
    rf"|(?<![A-Za-z])(?:Mr|Mrs|Ms|Dr)\.? (?P<titled>{_CAPITALISED})"
    r"|(?:[Rr]egards|[Ss]incerely|[Cc]heers|[Tt]hank you|[Tt]hanks),? ?\n ?"
    rf"(?P<signed>{_CAPITALISED})(?=\s*\Z)"
)
_SAID_LOWER = re.compile(
    r"(?<![a-z])my (?:full |real )?name(?:'s| is) (?P<name>[a-z]{2,20}(?: [a-z]{2,20})?)"
    r"(?= *(?:[,.;!?\n]|$|and |from |i |my |order))",
    re.IGNORECASE,
)
_NOT_A_NAME = re.compile(
    r"(?:a|also|an|already|being|blank|but|cut|different|gone|hidden|in|incomplete|incorrect|invalid"
    r"|it|just|mangled|martens|misprinted|missing|misspelled|misspelt|mistyped|my|never|no|not|now|of"
    r"|on|only|porter|printed|right|shown|spelled|spelt|still|swapped|the|there|too|truncated|typed"
    r"|unreadable|used|very|wrong|written)(?![a-z])",
    re.IGNORECASE,
)


def names(view: str) -> Iterator[Finding]:
    """Names after "my name is", 我叫, 收件人： and their like; a bare name stays."""
    for match in _HAN_NAME.finditer(view):
        yield *match.span(str(match.lastgroup)), Kind.NAME
    for pattern in (_SAID, _SAID_LOWER):
        for match in pattern.finditer(view):
            group = str(match.lastgroup)
            if not _NOT_A_NAME.match(match[group]):
                yield *match.span(group), Kind.NAME
