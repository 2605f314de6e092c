"""Why a gap is of its kind, told with a link to each article that is spoken of."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from drafts_support import gap_of
from editor_session import sign_in
from portal.gaps.tables import GAPS
from portal.gaps.types import Evidence
from portal.services import Services


def test_the_title_of_an_article_is_its_link_once(client: FlaskClient, services: Services) -> None:
    gap = gap_of(services, {"can I rent a telescope": False})
    article = services.library.catalogue.get("zh-Hans", "refund-timing")
    assert article is not None
    known, gone = "zh-Hans:refund-timing", "en:not-there"
    evidence = [
        Evidence("nothing_near", known, article.title),
        Evidence("add_questions", known, article.title),
        Evidence("near_article", gone, "<b>Gone</b>", 1, 2),
    ]
    with services.engine.begin() as connection:
        connection.execute(sa.update(GAPS).values(evidence=[asdict(one) for one in evidence]))
    sign_in(client, services)
    page = LexborHTMLParser(client.get(f"/editor/gaps/{gap.number}").text)
    lines = page.css(".evidence li")
    assert [" ".join(line.text().split()) for line in lines] == [
        f"The nearest article, “{article.title}”, is far from what is asked.",
        f"Proposed: add the typical questions to “{article.title}”.",
        "“<b>Gone</b>” is near 1 of the 2 typical questions, but not certain enough to answer.",
    ]
    links = page.css(".evidence a")
    assert [(link.attributes["href"], link.attributes["lang"], link.text()) for link in links] == [
        (article.path, "zh-Hans", article.title)
    ]
