"""What the checks say: every sentence by its code, with named places for what it speaks of.

Commands print the English that stands here, pages its translation: whatever is marked with `N_` has
to be in the catalogue. What a place named `reason` holds are a library's own words, in English.
"""

from __future__ import annotations

from collections.abc import Mapping

from search.synonyms import MISTAKES

N_ = str

_FOLDER = {
    "unreadable": (N_("cannot be read ({reason})"), N_("Save it as UTF-8.")),
    "misplaced": (
        N_("the file is not in a section's folder"),
        N_("Move it to <locale>/<section>/<slug>.md."),
    ),
    "file_name": (
        N_("the file name {name!r} cannot be an address"),
        N_("Use lower-case letters, digits and hyphens."),
    ),
    "taxonomy_unreadable": (
        N_("cannot be read ({reason})"),
        N_("Point KB_ARTICLES at a folder of articles."),
    ),
    "taxonomy_yaml": (N_("the YAML cannot be read"), N_("Mend its indentation.")),
    "taxonomy_form": (N_("is not a list of groups"), N_("See the shipped taxonomy.yaml.")),
    "taxonomy_group": (N_("the group is missing"), N_("Add `{group}:` with its keys.")),
    "taxonomy_label": (N_("has no label in {locales}"), N_("Add one.")),
    "outside_topic": (
        N_("a question stands before the first topic"),
        N_("Write a line `# topic` above it."),
    ),
    "outside_long": (N_("the question has {length} characters"), N_("Shorten it to {most}.")),
    "outside_twice": (
        N_("{question!r} also stands in line {line}"),
        N_("Remove one of the two."),
    ),
}
_FRONT_MATTER = {
    "front_missing": (N_("there is no front matter"), N_("Start the file with a line `---`.")),
    "front_open": (N_("the front matter has no end"), N_("Close it with a line `---`.")),
    "front_form": (N_("the front matter is not a list of fields"), N_("Write `title: …`.")),
    "front_yaml": (
        N_("the YAML cannot be read ({reason})"),
        N_("Quote text that contains `: `."),
    ),
    "field_twice": (N_("the field stands twice"), N_("Remove one.")),
    "field_missing": (N_("the field is missing"), N_("Add `{name}: …`.")),
    "field_unknown": (N_("the field is not known"), N_("Remove it; known fields: {fields}.")),
}
FIELDS = {
    "date_from_datetime_inexact": N_(
        "datetimes provided to dates should have zero time - e.g. be exact dates"
    ),
    "date_from_datetime_parsing": N_("input should be a valid date, {reason}"),
    "date_type": N_("input should be a valid date"),
    "finite_number": N_("input should be a finite number"),
    "greater_than_equal": N_("input should be greater than or equal to {ge}"),
    "int_from_float": N_("input should be a valid integer"),
    "int_parsing": N_("input should be a valid integer"),
    "int_parsing_size": N_("input should be a valid integer"),
    "int_type": N_("input should be a valid integer"),
    "less_than_equal": N_("input should be less than or equal to {le}"),
    "literal_error": N_("input should be one of {choices}"),
    "model_type": N_("input should be a list of fields"),
    "site_path": N_("{path!r} is not a path of this site"),
    "string_pattern_mismatch": N_("string should match pattern '{pattern}'"),
    "string_too_long": N_("string should have at most {max_length} characters"),
    "string_too_short": N_("string should have at least 1 character"),
    "string_type": N_("input should be a valid string"),
    "string_unicode": N_("input should be a valid string"),
    "tuple_type": N_("input should be a list"),
    "url_parsing": N_("input should be a valid URL, {reason}"),
    "url_scheme": N_("URL scheme should be one of {choices}"),
    "url_too_long": N_("URL should have at most {max_length} characters"),
    "url_type": N_("URL input should be a string"),
    "other": N_("the value cannot be used ({reason})"),
}
"""By the kind of error that pydantic finds in a field; `other` is every kind that is not here."""
_ARTICLE = {
    "section_folder": (
        N_("says {section!r} but the file lies in {folder!r}"),
        N_("Move the file or change the field."),
    ),
    "clause_anchor": (N_("no heading has the anchor {anchor!r}"), N_("Use one of: {anchors}.")),
    "review_early": (N_("is before verified_on"), N_("Set a later date.")),
    "empty": (N_("the article is empty"), N_("Write its text.")),
    "first_level": (
        N_("a heading of the first level"),
        N_("Start with ##; the title is in the front matter."),
    ),
    "link_malformed": (
        N_("the link {link!r} is no address"),
        N_("Write it whole, such as https://example.com/page."),
    ),
    "link_html": (
        N_("the link {link!r} stands in HTML, where paths of files lead nowhere"),
        N_("Write it as [words](path)."),
    ),
    "link_scheme": (
        N_("the link {link!r} is taken out: only http and https lead to other sites"),
        N_("Write the address itself as text."),
    ),
    "image_dropped": (
        N_("the image {image!r} is not shown: articles have no images"),
        N_("Say in words what it shows and remove it."),
    ),
    "html_dropped": (
        N_("{html} is taken out of what readers see"),
        N_("Write it in Markdown or remove it."),
    ),
    "unwritten": (
        N_("something is still to be written here"),
        N_("Write it and remove the mark."),
    ),
    "status_fixed": (
        N_("the status cannot be changed by the page"),
        N_("Change `status` in the text."),
    ),
}
_LIBRARY = {
    "taxonomy_key": (
        N_("{key!r} is not in taxonomy.yaml"),
        N_("Add it there or use one of: {keys}."),
    ),
    "review_due": (
        N_("was due on {day}"),
        N_("Verify the article and set verified_on and review_by."),
    ),
    "future": (N_("lies in the future"), N_("Set a day that has been.")),
    "link_article": (
        N_("the link {link!r} leads to no published article"),
        N_("Mend the path or publish that article."),
    ),
    "link_heading": (
        N_("the link {link!r} leads to no heading of that article"),
        N_("Use one of: {anchors}."),
    ),
    "link_page": (
        N_("the link {link!r} leads to no page of this portal"),
        N_("Mend the path, or link an article by its file, such as ../returns/return-window.md."),
    ),
    "id_taken": (
        N_("is also the id of {other}"),
        N_("Give each article of a language an id of its own."),
    ),
    "address_taken": (N_("{address} belongs to {other}"), N_("Remove it from one of the two.")),
    "title_taken": (
        N_("is also the title of {other}"),
        N_("Say what is different about this article."),
    ),
    "synonym_language": (
        N_("{phrase!r} is Chinese, and this list is only used for English questions"),
        N_("Move the line to {other}."),
    ),
    "question_taken": (
        N_("{question!r} is also asked in {other}"),
        N_("Keep it in the article that answers it best."),
    ),
    "outside_answered": (
        N_("{question!r} is asked in {other}, so it is answered"),
        N_("Remove it here or there."),
    ),
    "anchors_differ": (
        N_("its headings' anchors differ from {other}"),
        N_(
            "Use the same {{#anchors}} in the same order, so that links survive a change of "
            "language."
        ),
    ),
    "translation_old": (
        N_("is older than {other} ({day})"),
        N_("See what changed there and bring this translation up to date."),
    ),
}
MENDS = {
    "id": N_("Use lower-case letters, digits and hyphens, the same in every translation."),
    "title": N_("Write the question or topic in at most 200 characters."),
    "summary": N_("Write one or two sentences of at most 200 characters."),
    "section": N_("Use a key of `sections` in taxonomy.yaml, the name of the folder."),
    "tags": N_("Write a list such as [refund time, bank]."),
    "reasons": N_("Write a list of keys of `reasons` in taxonomy.yaml."),
    "platforms": N_("Write a list of keys of `platforms` in taxonomy.yaml."),
    "questions": N_("Write a list of questions of at most 200 characters each."),
    "status": N_("Use draft, published or archived."),
    "owner": N_("Name the team or person who answers for the article."),
    "updated": N_("Write a date as 2026-11-22."),
    "verified_on": N_("Write a date as 2026-11-22."),
    "review_by": N_("Write a date as 2027-05-22."),
    "redirect_from": N_("Write a list of former paths such as /en/refunds/old-name."),
    "sources": N_("Give each source a title, an https url and verified_on."),
    "policy": N_(
        "Write a list of clauses; their fields are below the README's table of front matter."
    ),
    "closes": N_("Write the gap it was written for, such as gap-17, as `kb gaps` numbers it."),
}
"""How to write each field of front matter."""

_PAIRS: Mapping[str, tuple[str, str]] = {
    **_FOLDER, **_FRONT_MATTER, **_ARTICLE, **_LIBRARY,
    **{f"synonyms_{code}": pair for code, pair in MISTAKES.items()},
}  # fmt: skip
TEXTS: Mapping[str, str] = {
    **{code: message for code, (message, _) in _PAIRS.items()},
    **{f"{code}.mend": mend for code, (_, mend) in _PAIRS.items()},
    **{f"value.{kind}": message for kind, message in FIELDS.items()},
    **{f"field.{name}": mend for name, mend in MENDS.items()},
    "quote": N_('Put the value in quotes: "{value}".'),
    "yaml_open": N_("Close the quote or the bracket that this line opens."),
    "yaml_key": N_("Write `name: …` in this line, or indent it under the one before."),
    "yaml_other": N_("Quote text that begins with a mark, and indent with spaces, all alike."),
    "left_out": N_("Until then it is left out."),
}
"""Every sentence there is, in English, by its code; places are those of `str.format`."""


def say(code: str, values: Mapping[str, str]) -> str:
    """A sentence in English."""
    return TEXTS[code].format_map(values)
