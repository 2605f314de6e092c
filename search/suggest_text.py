"""What a text typed into a form says, without what it says to nobody: the sentences worth reading.

People who ask for their money back write long, angry, in two languages and above an old mail.
Greetings, thanks, signatures and quoted mails are left out, and of what remains the sentences that
say most by the words of the articles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from search.text import HAN, is_mostly_han, normalise, split_sentences

LONGEST = 20_000
"""Characters that are read of a text."""
_LONGEST_SENTENCE = {True: 48, False: 320}  # characters; by whether it is Chinese
_SHORTEST_CLAUSE = {True: 10, False: 60}

_MARKUP = re.compile(r"</?[a-zA-Z!][^<>]{0,400}>")
_PLACEHOLDER = re.compile(r"\[[a-z]{1,12}(?:-[a-z]{1,12}){0,2}\]")
_SPACES = re.compile(r"[^\S\n]{2,}")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufdfa\ufeff\x00-\x08\x0e-\x1f]")

_QUOTED = re.compile(r"^\s{0,3}(?:>|&gt;|》|﹥)")
# From here on a line stands above a mail that was answered; what follows is that mail.
_OLD_MAIL = re.compile(
    r"^\s*(?:"
    r"-{2,}\s*(?:original|forwarded) (?:message|mail)\s*-{2,}"
    r"|_{10,}\s*$"
    r"|begin forwarded message:"
    r"|on\b.{4,200}\bwrote:\s*$"
    r"|-{2,}\s*(?:原始邮件|原邮件|转发邮件|回复的原邮件|转发的邮件)\s*-{0,}"
    r"|.{0,120}(?:写道|寫道)[:：]\s*$"
    r")",
    re.IGNORECASE,
)
_OLD_MAIL_SPLIT = re.compile(r"^\s*on\b.{4,120}$", re.IGNORECASE)
_WROTE = re.compile(r"^.{0,120}\bwrote:\s*$", re.IGNORECASE)
_HEADER = re.compile(
    r"^\s*\*?(?:from|sent|date|to|cc|subject|reply-to|发件人|发送时间|发送日期|日期|收件人|抄送"
    r"|主题|寄件者|收件者|主旨)\*?\s?[:：]",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"^\s*(?:--\s*|(?:sent|get|gesendet) (?:from|with|outlook for) (?:my )?.{0,40}"
    r"|(?:发自|来自|发送自|从)我的.{0,30}|由.{0,20}发送)$",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|to whom it may "
    r"concern)\b(?:[ ,]*(?:there|all|team|sir|madam|sirs|or|support|customer|service|care|help"
    r"|desk|wrenfield|everyone|folks|guys|again|and|the|returns|refunds?)\b)*"
    r"|(?:您好|你好|亲亲?|客服|老板|店家|商家|掌柜|在吗|在不在|有人吗|人呢|大家好|早上好|下午好"
    r"|晚上好|哈喽|嗨|请问一?下?|麻烦问一?下|尊敬的(?:客服|商家|卖家))(?:您好|你好|客服|在吗|亲|们)*)"
    r"\s*[,，.。!！~～:：?？、-]*\s*",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"^(?:(?:(?:many |very |kind |best |warm |with |yours? |so )*"
    r"(?:thanks?(?: you| a lot| so much| very much| again| in advance"
    r"| for (?:your|the|any) [a-z ]{2,40})*"
    r"|thx|ty|cheers|regards|wishes|sincerely|faithfully|truly|best)"
    r"(?:[ ,]*(?:and|in advance|a lot|very much|so much|regards|again))*"
    r"|(?:i )?(?:look(?:ing)? forward to|hope to|await(?:ing)?) .{0,60}"
    r"|(?:please )?(?:help(?: me)?|respond|reply|answer|advise)"
    r"(?: (?:please|asap|soon|me|urgently))*"
    r"|(?:非常|十分|万分|多|先)?(?:谢谢|感谢|多谢|谢了)(?:您|你|你们|了|啦|客服|亲)*"
    r"(?:的(?:帮助|理解|支持))?"
    r"|(?:麻烦|辛苦|拜托|有劳)(?:您|你|你们|了|啦|客服)*"
    r"|此致(?:敬礼)?|敬礼|祝(?:好|您.{0,12}|商祺|生意兴隆)"
    r"|(?:请|望|盼|等待|期待|希望)?(?:尽快|及时|速)?(?:回复|答复|处理)(?:一下|下|我|谢谢|了)?|急{1,9}|在线等)"
    r")\s*[,，.。!！~～]*\s*$",
    re.IGNORECASE,
)
_NAME = re.compile(r"^[^\W\d_]+(?:[ .'-]+[^\W\d_]+){0,3}\s*$")
_LETTER = re.compile(rf"[^\W\d_]|[{HAN}]")
_CLAUSES = {
    True: re.compile(r"(?<=[，,、：:～~… ])(?=\S)"),
    False: re.compile(
        r"(?<=[,;:…])\s+|\s+(?=(?:and|but|so|because|then|now|also|however)\b)", re.I
    ),
}


def read_sentences(text: str) -> list[str]:
    """The sentences of a form's text that may say what it is about, in order.

    Personal data has been removed before; its placeholders are left out. A text of which nothing
    would remain, such as one that is all quotation, is read as it stands.
    """
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text[:LONGEST]))
    text = _SPACES.sub(" ", _PLACEHOLDER.sub(" ", _MARKUP.sub(" ", text)))
    lines = text.split("\n")
    return _sentences(_own_lines(lines)) or _sentences(lines)


def most_telling(sentences: list[str], weight: Callable[[str], float], *, most: int) -> list[str]:
    """At most `most` sentences, those of the greatest weight, in the order they were written in.

    Of sentences that say the same only the first counts.
    """
    said: dict[str, str] = {}
    for sentence in sentences:
        said.setdefault(normalise(sentence), sentence)
    unique = list(said.values())
    if len(unique) <= most:
        return unique
    weights = [weight(sentence) for sentence in unique]
    best = sorted(range(len(unique)), key=lambda place: (-weights[place], place))[:most]
    return [unique[place] for place in sorted(best)]


def _own_lines(lines: list[str]) -> Iterator[str]:
    """Lines without quotations, old mails and signatures."""
    written = False
    in_headers = False
    signed = False
    for number, line in enumerate(lines):
        if _QUOTED.match(line):
            continue
        if in_headers and (_HEADER.match(line) or not line.strip()):
            continue
        in_headers = False
        if _OLD_MAIL.match(line) or _opens_mail(lines, number):
            if _rest_is_marked(lines[number + 1 :]):
                in_headers = True  # only the `>` lines are old; the answer may stand below
                continue
            if written:
                return
            in_headers = True
            continue
        if _HEADER.match(line) and _is_header_block(lines, number):
            if written:
                return
            in_headers = True
            continue
        if _SIGNATURE.match(line):
            if written and line.strip() == "--":
                return
            continue
        if not (said := line.strip()) or (signed and _NAME.match(said)):
            continue
        signed = bool(_SIGN_OFF.match(said))
        written = written or not _is_courtesy(said)
        yield said


def _opens_mail(lines: list[str], number: int) -> bool:
    """`On … wrote:` broken in two by a mail program, at its first line or its second."""
    following = lines[number + 1] if number + 1 < len(lines) else ""
    before = lines[number - 1] if number else ""
    return bool(
        (_OLD_MAIL_SPLIT.match(lines[number]) and _WROTE.match(following) and len(following) < 100)
        or (_WROTE.match(lines[number]) and _OLD_MAIL_SPLIT.match(before))
    )


def _rest_is_marked(rest: list[str]) -> bool:
    """Whether the old mail below has its lines marked as quoted."""
    first = next((line for line in rest if line.strip() and not _WROTE.match(line)), "")
    return bool(_QUOTED.match(first))


def _is_header_block(lines: list[str], number: int) -> bool:
    """Whether several headers stand together; one line `To: …` alone may be anything."""
    near = [line for line in lines[number : number + 5] if line.strip()]
    return sum(bool(_HEADER.match(line)) for line in near) > 1


def _sentences(lines: Iterable[str]) -> list[str]:
    found: list[str] = []
    for sentence in split_sentences("\n".join(lines)):
        for clause in _shortened(sentence):
            stripped = _without_greeting(clause)
            if stripped and _LETTER.search(stripped) and not _SIGN_OFF.match(stripped):
                found.append(stripped)
    return found


def _without_greeting(sentence: str) -> str:
    while match := _GREETING.match(sentence):
        if not match.end():
            break
        sentence = sentence[match.end() :]
    return sentence.strip()


def _is_courtesy(line: str) -> bool:
    rest = _without_greeting(line)
    return not rest or bool(_SIGN_OFF.match(rest))


def _shortened(sentence: str) -> Iterator[str]:
    """The sentence, or a very long one cut at commas: one vector of many thoughts is of none."""
    han = is_mostly_han(sentence)
    if len(sentence) <= _LONGEST_SENTENCE[han]:
        yield sentence
        return
    pending = ""
    for clause in _CLAUSES[han].split(sentence):
        joined = f"{pending}{'' if han or not pending else ' '}{clause}"
        if len(joined) > _LONGEST_SENTENCE[han] and len(pending) >= _SHORTEST_CLAUSE[han]:
            yield pending.strip()
            pending = clause
        else:
            pending = joined
    if pending.strip():
        yield pending.strip()
