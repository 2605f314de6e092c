"""Adds a customer's word to a file of synonyms; every line that is there stays as it is."""

from __future__ import annotations

import re

from portal.drafts.errors import EditRefused
from search.synonyms import Mistake, Rule, parse_synonyms
from search.text import normalise

_ARROW = re.compile(r"[ \t]*=>")
_END = re.compile(r"\r\n|\r|\n")


def add_synonym(text: str, phrase: str, target: str) -> str:
    """The file with one more rule: `phrase` is also searched as `target`, and never back.

    It joins the line that leads to the same target alone, else it is a new line at the end. Gives
    the text unchanged when the rule is there already. Raises `EditRefused`.
    """
    phrase, target = (" ".join(part.split()) for part in (phrase, target))
    _check(phrase, target)
    rules, mistakes = parse_synonyms(text)
    if mistakes:
        raise _broken(mistakes[0])
    said, meant = normalise(phrase), normalise(target)
    if owner := next((rule for rule in rules if said in rule.phrases), None):
        if meant in owner.targets:
            return text
        raise EditRefused("synonym_taken", {"phrase": phrase, "line": owner.line})
    wanted = [*rules]
    place = next((n for n, rule in enumerate(rules) if _leads_to(rule, meant)), None)
    if place is None:
        edited = _appended(text, f"{phrase} => {target}")
        wanted.append(Rule((said,), (meant,)))
    else:
        edited = _joined(text, rules[place].line, phrase)
        wanted[place] = Rule((*rules[place].phrases, said), rules[place].targets)
    found, mistakes = parse_synonyms(edited)
    if mistakes or [(r.phrases, r.targets) for r in found] != [
        (r.phrases, r.targets) for r in wanted
    ]:
        raise EditRefused("synonyms_by_hand")
    return edited


def take_out_synonym(text: str, phrase: str, target: str) -> str:
    """The file without a rule that stands as `add_synonym` wrote it. Raises `EditRefused`."""
    phrase, target = (" ".join(part.split()) for part in (phrase, target))
    rules, mistakes = parse_synonyms(text)
    if mistakes:
        raise _broken(mistakes[0])
    said, gone = normalise(phrase), EditRefused("synonym_moved_on", {"said": phrase})
    place = next((n for n, rule in enumerate(rules) if said in rule.phrases), None)
    if place is None or not _leads_to(rules[place], normalise(target)):
        raise gone
    rule, lines = rules[place], text.splitlines(keepends=True)
    line = lines[rule.line - 1]
    left = tuple(one for one in rule.phrases if one != said)
    if not left:
        if line.strip("\ufeff\r\n") != f"{phrase} => {target}":
            raise gone
        lines[rule.line - 1] = "\ufeff" if line.startswith("\ufeff") else ""
    else:
        arrow = _ARROW.search(line)
        known = line[: arrow.start()] if arrow else ""
        word = re.escape(phrase)
        found = list(re.finditer(f"^{word}, |, {word}(?=,|$)", known))
        if arrow is None or len(found) != 1:
            raise gone
        lines[rule.line - 1] = line[: found[0].start()] + line[found[0].end() :]
    edited = "".join(lines)
    wanted = [(one.phrases, one.targets) for one in rules]
    wanted[place : place + 1] = [(left, rule.targets)] if left else []
    found_rules, mistakes = parse_synonyms(edited)
    if mistakes or [(one.phrases, one.targets) for one in found_rules] != wanted:
        raise gone
    return edited


def _broken(mistake: Mistake) -> EditRefused:
    from indexer.problems import problem

    found = problem("", mistake.line, "", f"synonyms_{mistake.code}", mistake.values)
    return EditRefused("synonyms_broken", {"line": mistake.line}, found=found)


def _check(phrase: str, target: str) -> None:
    for side in (phrase, target):
        if not side or not side.isprintable() or any(c in side for c in ",，#") or "=>" in side:
            raise EditRefused("synonym_form")
    if normalise(phrase) == normalise(target):
        raise EditRefused("synonym_same")


def _leads_to(rule: Rule, target: str) -> bool:
    """Whether a line is an arrow to this target alone."""
    return rule.targets == (target,) and rule.targets != rule.phrases


def _appended(text: str, line: str) -> str:
    found = _END.search(text)
    newline = found[0] if found else "\n"
    gap = newline if text.removeprefix("\ufeff") and not text.endswith(("\n", "\r")) else ""
    return f"{text}{gap}{line}{newline}"


def _joined(text: str, number: int, phrase: str) -> str:
    lines = text.splitlines(keepends=True)
    line = lines[number - 1]
    arrow = _ARROW.search(line)
    if arrow is None:
        raise EditRefused("synonyms_by_hand")
    lines[number - 1] = f"{line[: arrow.start()]}, {phrase}{line[arrow.start() :]}"
    return "".join(lines)
