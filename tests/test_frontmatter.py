"""Front matter: every mistake is told with its line, field and mend, and none raises."""

from __future__ import annotations

import textwrap
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.frontmatter import Parsed, parse
from indexer.problems import Problem
from indexer.schema import MENDS, FrontMatter

_VALID = """\
id: refund-timing
title: When will my refund arrive?
summary: A card takes 5 to 10 days.
section: refunds
status: published
owner: Refunds team
updated: 2026-11-01
verified_on: 2026-11-01
review_by: 2027-05-01
"""
_FIRST_FREE_LINE = 11  # the line after `review_by`


def _file(front: str = _VALID, extra: str = "", body: str = "Text.\n") -> str:
    return f"---\n{front}{textwrap.dedent(extra)}---\n{body}"


def _problems(text: str) -> list[Problem]:
    outcome = parse(text, "en/refunds/x.md")
    assert isinstance(outcome, list), "no problem was found"
    return outcome


def _only(text: str) -> Problem:
    (problem,) = _problems(text)
    return problem


def test_a_valid_file_is_read_with_the_lines_of_its_fields() -> None:
    extra = """\
    tags: [a, b]
    policy:
      - section: card
        window_days: 30
        platforms:
          - wrenfield
      - refund_days: 5
    """
    parsed = parse(_file(extra=extra, body="First.\nSecond.\n"), "x.md")
    assert isinstance(parsed, Parsed)
    assert parsed.front.tags == ("a", "b")
    assert parsed.front.updated == date(2026, 11, 1)
    assert parsed.front.policy[0].window_days == 30
    assert parsed.body == "First.\nSecond."
    assert parsed.body_line == 19
    assert parsed.line("id") == 2
    assert parsed.line("tags") == 11
    assert parsed.line("tags", 1) == 11
    assert parsed.line("policy", 0, "window_days") == 14
    assert parsed.line("policy", 0, "platforms", 0) == 16
    assert parsed.line("policy", 1, "refund_days") == 17


def test_the_line_of_an_absent_field_is_that_of_what_encloses_it() -> None:
    parsed = parse(_file(extra="policy:\n  - window_days: 3\n"), "x.md")
    assert isinstance(parsed, Parsed)
    assert parsed.line("policy", 0, "evidence") == 12
    assert parsed.line("sources") == 1


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    parsed = parse("\ufeff" + _file(body="One.\nTwo.\n").replace("\n", "\r\n"), "x.md")
    assert isinstance(parsed, Parsed)
    assert parsed.front.owner == "Refunds team"
    assert parsed.body == "One.\nTwo."


def test_dashes_inside_the_body_do_not_end_anything() -> None:
    parsed = parse(_file(body="a\n\n---\n\nb\n"), "x.md")
    assert isinstance(parsed, Parsed)
    assert parsed.body == "a\n\n---\n\nb"


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ("", "there is no front matter", "Start the file with a line `---`."),
        ("# Title\n", "there is no front matter", "Start the file with a line `---`."),
        ("\n---\nid: x\n---\n", "there is no front matter", "Start the file with a line `---`."),
        ("---\nid: x\n", "the front matter has no end", "Close it with a line `---`."),
    ],
)
def test_a_missing_fence_is_told(text: str, message: str, mend: str) -> None:
    assert _only(text) == Problem("en/refunds/x.md", 1, "", message, mend)


@pytest.mark.parametrize("front", ["", "just text\n", "- a\n- b\n", "# a comment\n", "null\n"])
def test_front_matter_that_is_no_list_of_fields_is_told(front: str) -> None:
    problem = _only(_file(front))
    assert (problem.line, problem.field) == (2, "")
    assert problem.message == "the front matter is not a list of fields"
    assert problem.mend == "Write `title: …`."


@pytest.mark.parametrize(
    ("extra", "line", "message"),
    [
        ("tags: a: b\n", 11, "mapping values are not allowed here"),
        ("tags: [a\n", 11, "expected ',' or ']'"),
        ("tags: []\n\treasons: []\n", 12, "cannot start any token"),
        ('tags: "open\n', 11, "unexpected end of stream"),
        ("tags: !!python/object:os.system x\n", 11, "could not determine a constructor"),
        ("tags: &loop [*loop]\n", 11, "`*` at the start of a value"),
        ("tags: *important\n", 11, "`*` at the start of a value"),
        ("? [a, b]\n: c\n", 11, "unhashable key"),
    ],
)
def test_broken_yaml_is_told_with_its_line(extra: str, line: int, message: str) -> None:
    problem = _only(_file(extra=extra))
    assert (problem.line, problem.field, problem.severity) == (line, "", "error")
    assert problem.message.startswith("the YAML cannot be read (")
    assert message in problem.message
    assert problem.mend


@pytest.mark.parametrize(
    "value",
    [
        "!!timestamp foo",
        "!!bool foo",
        "!!int ''",
        "!!float ''",
        "!!binary x",
        "9" * 5000,
        "[" * 1000,
        "{a: " * 2000,
        "\x00",
        "\x07",
    ],
    ids=lambda value: ascii(value[:14]),
)
def test_hostile_values_give_one_problem_on_one_line(value: str) -> None:
    problem = _only(_file(extra=f"tags: {value}\n"))
    assert "cannot be read" in problem.message
    assert "\n" not in str(problem)
    assert problem.mend


def test_aliases_that_would_multiply_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    problem = _only(_file(extra="\n".join(lines) + "\n"))
    assert problem.line == _FIRST_FREE_LINE + 1


@pytest.mark.parametrize(
    "field", [name for name, f in FrontMatter.model_fields.items() if f.is_required()]
)
def test_a_missing_field_is_told_with_what_to_add(field: str) -> None:
    front = "".join(line for line in _VALID.splitlines(True) if not line.startswith(f"{field}:"))
    problem = _only(_file(front))
    assert (problem.line, problem.field) == (1, field)
    assert problem.message == "the field is missing"
    assert problem.mend == f"Add `{field}: …`. {MENDS[field]}"


def test_a_missing_part_of_a_source_is_told_where_the_source_stands() -> None:
    problems = _problems(_file(extra="sources:\n  - title: The law\n"))
    assert [(p.line, p.field) for p in problems] == [
        (12, "sources.0.url"),
        (12, "sources.0.verified_on"),
    ]
    assert problems[0].mend == f"Add `url: …`. {MENDS['sources']}"


def test_an_unknown_field_is_told_with_the_known_ones() -> None:
    problem = _only(_file(extra="author: me\n"))
    assert (problem.line, problem.field) == (11, "author")
    assert problem.message == "the field is not known"
    assert problem.mend.startswith("Remove it; known fields: id, title, summary")


def test_an_unknown_part_of_a_clause_is_told_with_its_place() -> None:
    problem = _only(_file(extra="policy:\n  - section: card\n    days: 3\n"))
    assert (problem.line, problem.field) == (13, "policy.0.days")
    assert problem.message == "the field is not known"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("id", "Refund Timing", "string should match pattern"),
        ("id", "退款", "string should match pattern"),
        ("title", '""', "string should have at least 1 character"),
        ("summary", "x" * 201, "string should have at most 200 characters"),
        ("section", "[refunds]", "input should be a valid string"),
        ("status", "live", "input should be one of 'draft', 'published', 'archived'"),
        ("owner", "{a: b}", "input should be a valid string"),
        ("updated", "yesterday", "input should be a valid date"),
        ("updated", "2026-13-01", "input should be a valid date"),
        ("verified_on", "2026-02-30", "input should be a valid date"),
        ("verified_on", "01.11.2026", "input should be a valid date"),
        ("review_by", "2027", "datetimes provided to dates should have zero time"),
        ("review_by", "[2027-05-01]", "input should be a valid date"),
    ],
)
def test_a_wrong_value_is_told_with_line_field_and_mend(
    field: str, value: str, message: str
) -> None:
    lines = _VALID.splitlines(True)
    number = next(n for n, line in enumerate(lines) if line.startswith(f"{field}:"))
    lines[number] = f"{field}: {value}\n"
    problem = _only(_file("".join(lines)))
    assert (problem.line, problem.field) == (number + 2, field)
    assert problem.message.startswith(message)
    assert problem.mend == MENDS[field]


@pytest.mark.parametrize(
    ("extra", "line", "field"),
    [
        ("tags: refund\n", 11, "tags"),
        ("reasons: changed-mind\n", 11, "reasons"),
        ("platforms: [Wren Field]\n", 11, "platforms.0"),
        ("questions:\n  - ok\n  - {a: b}\n", 13, "questions.1"),
        ("redirect_from: [old-name]\n", 11, "redirect_from"),
        ("redirect_from: ['/en/x y']\n", 11, "redirect_from"),
        ("sources:\n  - {title: a, url: nope, verified_on: 2026-11-01}\n", 12, "sources.0.url"),
        ("policy: none\n", 11, "policy"),
        ("policy:\n  - section: Bad Anchor\n", 12, "policy.0.section"),
        ("policy:\n  - section: a\n    window_days: soon\n", 13, "policy.0.window_days"),
        ("policy:\n  - window_days: -1\n", 12, "policy.0.window_days"),
        ("policy:\n  - refund_method: cash\n", 12, "policy.0.refund_method"),
    ],
)
def test_a_wrong_value_inside_a_list_is_told_once_with_its_place(
    extra: str, line: int, field: str
) -> None:
    problem = _only(_file(extra=extra))
    assert (problem.line, problem.field) == (line, field)
    assert problem.mend == MENDS[field.partition(".")[0]]


@pytest.mark.parametrize("value", ["12", "1.5", "true"])
def test_a_bare_number_or_word_of_yaml_is_to_be_quoted(value: str) -> None:
    problem = _only(_file(_VALID.replace("Refunds team", value)))
    assert (problem.line, problem.field) == (7, "owner")
    assert problem.mend.startswith("Put the value in quotes: ")
    assert value.casefold() in problem.mend.casefold()


def test_a_field_that_stands_twice_is_told_where_it_stands_again() -> None:
    problem = _only(_file(extra="title: Another\n"))
    assert problem == Problem(
        "en/refunds/x.md", 11, "title", "the field stands twice", "Remove one."
    )


def test_a_field_of_a_clause_that_stands_twice_is_told() -> None:
    problem = _only(_file(extra="policy:\n  - window_days: 3\n    window_days: 4\n"))
    assert (problem.line, problem.field) == (13, "window_days")


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    front = _VALID.replace("2026-11-01", "soon").replace("published", "live")
    problems = _problems(_file(front, extra="colour: red\nowner: B\n"))
    assert sorted((p.line, p.field) for p in problems) == [
        (6, "status"),
        (8, "updated"),
        (9, "verified_on"),
        (11, "colour"),
        (12, "owner"),
    ]


def test_every_field_has_a_mend() -> None:
    assert set(MENDS) == set(FrontMatter.model_fields)


_ODD_LINES = [
    *("policy:", "  - section: a", "   - b", "tags: [a", "x: &a", "y: *a", "!!int", "? a", ": b"),
    *("<<: {id: 1}", "...", "---", "- a", "|", ">", "#", "\t", "'", '"', "%YAML 1.1", "{", "}"),
]
_FIELDS = st.sampled_from(list(FrontMatter.model_fields))
_YAMLISH = st.lists(
    st.one_of(
        st.sampled_from(_VALID.splitlines()),
        st.sampled_from(_ODD_LINES),
        st.text(max_size=25),
        st.builds("{}: {}".format, _FIELDS, st.text(max_size=20)),
    ),
    max_size=14,
).map("\n".join)


@given(_YAMLISH)
@example("tags: !!timestamp foo")
@example('"\\ud800": 1')
@settings(max_examples=250, deadline=None)
def test_random_front_matter_gives_problems_and_never_raises(front: str) -> None:
    text = _file(front + "\n")
    outcome = parse(text, "x.md")
    if isinstance(outcome, Parsed):
        return _check_parsed(outcome)
    assert outcome
    for problem in outcome:
        assert problem.path == "x.md"
        assert 1 <= problem.line <= len(text.splitlines()) + 1
        assert problem.message
    return None


def _check_parsed(parsed: Parsed) -> None:
    assert parsed.front.status in ("draft", "published", "archived")
    assert parsed.body_line >= 3


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_random_files_never_raise(text: str) -> None:
    outcome = parse(text, "x.md")
    assert isinstance(outcome, list)
    assert outcome[0].mend


@pytest.mark.parametrize(
    ("written", "line", "mend"),
    [
        ('id: x\ntitle: "y\nsummary: z', 3, "yaml_open"),
        ("id: [x\ntitle: y", 2, "yaml_open"),
        ("id: x\nbare words\ntitle: y", 3, "yaml_key"),
        ("id: x\ntitle: @y", 3, "yaml_other"),
        ("id: x\ntitle: a: b", 3, "front_yaml.mend"),
    ],
)
def test_a_mistake_in_the_yaml_is_told_where_it_was_made(
    written: str, line: int, mend: str
) -> None:
    found = parse(f"---\n{written}\n---\n", "x")
    assert isinstance(found, list)
    assert [(one.line, one.mends) for one in found] == [(line, (mend,))]
