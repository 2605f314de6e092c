"""JSON-LD that search engines read: what a page is, and where it stands."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from portal.help.context import absolute, article_url, section_title, shop_name
from search.types import Article

Data = dict[str, Any]


def article_data(article: Article) -> Data:
    """The article, its question with the answer, and its breadcrumb."""
    address = absolute(article_url(article))
    return {
        "@context": "https://schema.org",
        "@graph": [
            {
                "@type": "Article",
                "headline": article.title,
                "description": article.summary,
                "inLanguage": article.locale,
                "dateModified": article.updated.isoformat(),
                "mainEntityOfPage": address,
                "publisher": {"@type": "Organization", "name": shop_name()},
            },
            {
                "@type": "FAQPage",
                "mainEntity": [
                    {
                        "@type": "Question",
                        "name": article.title,
                        "acceptedAnswer": {"@type": "Answer", "text": article.summary},
                    }
                ],
            },
            _breadcrumb(article, address),
        ],
    }


def _breadcrumb(article: Article, address: str) -> Data:
    steps = [
        (_("Help centre"), absolute(url_for("help.home"))),
        (
            section_title(article.section),
            absolute(url_for("help.section", section=article.section)),
        ),
        (article.title, address),
    ]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": item}
            for position, (name, item) in enumerate(steps, 1)
        ],
    }
