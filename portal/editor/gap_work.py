"""What an editor does about a gap: draft an article, extend one, add a synonym, ask for proof."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from portal.accounts.audit import audit, audit_of_run
from portal.drafts.compose import Commission, compose
from portal.drafts.errors import ArticleChanged, ArticleMissing, ArticlesReadOnly, EditRefused
from portal.drafts.find import Listed, by_id, listed
from portal.drafts.paths import ArticlePath, is_name
from portal.drafts.slugs import free_slug
from portal.drafts.synonym_edit import add_synonym
from portal.drafts.yaml_edit import add_questions, questions_in
from portal.editor.access import current_user
from portal.editor.arguments import NUMBER
from portal.editor.article_finder import LONGEST, Choice, by_text, choice, find_articles
from portal.editor.downloads import csv_file, json_file
from portal.editor.draft_form import Proposal
from portal.editor.drafts import commit_saved
from portal.editor.failure_words import failure
from portal.editor.legible import legible
from portal.editor.proof_words import interval, verdict_words
from portal.editor.runs import run_facts
from portal.gaps.live import last_look
from portal.gaps.types import Gap, GapQuestion, Kind, State
from portal.i18n import NAMES
from portal.proof.deeds import QUESTIONS, SYNONYM, questions_detail, standing, synonym_detail
from portal.proof.export import COLUMNS, rows
from portal.proof.types import NothingToProve, RunKind, RunsBusy
from portal.services import services
from portal.transactions import transaction
from search.errors import KnowledgeBaseError
from search.text import HAN, guess_locale
from search.types import LOCALES, Article

_HAN = re.compile(f"[{HAN}]")
_NEAR = 6  # articles offered for more questions
_NEAREST = 4  # of them for each question
_ASKED = 3  # questions of each language that nearness is told by
_OFFERED = 20  # questions that may be added at once
_TOLD = 3  # questions that a refusal names


def add_routes(blueprint: Blueprint) -> None:
    gap = f"/gaps/{NUMBER}"
    for name, view in (
        ("draft", draft), ("add-questions", add), ("synonym", synonym), ("prove", start_proof),
    ):  # fmt: skip
        endpoint = f"gap_{name.replace('-', '_')}"
        blueprint.add_url_rule(f"{gap}/{name}", endpoint, view, methods=["POST"])
    blueprint.add_url_rule(f"{gap}/proof.json", "gap_proof_json", proof_json)
    blueprint.add_url_rule(f"{gap}/proof.csv", "gap_proof_csv", proof_as_csv)


def context(gap: Gap, questions: Sequence[GapQuestion]) -> dict[str, Any]:
    """What `_gap_work.html` and `_gap_proof.html` show of a gap."""
    desk = services().proof
    path = desk.article_of(gap)
    run, proof = desk.proof_of(gap.number)
    published = desk.runs.latest(gap.number, RunKind.PUBLISH)
    with transaction(services().engine, "read what was seen of a gap") as connection:
        look = last_look(connection, gap.number)
    opened = None
    if path is not None:
        try:
            opened = desk.files.read(path)
        except KnowledgeBaseError:
            path = None  # a file that cannot be read is told of by `kb check`
    files = list(listed(desk.root))
    file = next((one for one in files if one.path == path), None)
    told = published and opened and published.article == path and published.tells_of(opened.digest)
    near, proposal = _near(gap, questions), Proposal(gap, questions)
    find = request.args.get("find", "").strip()[:LONGEST]
    found = find_articles(find)
    articles = list({one.key: one for one in (*found, *near)}.values())
    drafting = [one for one in questions if not one.held_out][:_OFFERED]
    misspelt = {one.key for one in drafting if proposal.is_misspelt(one.text)}
    stray = _stray(gap, drafting)
    return {
        "work": {
            "path": path,
            "files": [one for one in files if file and (one is file or one.id == file.id != "")],
            "digest": opened.digest if opened else "",
            "mend": [] if path else _to_mend(gap, files),
            "find": find,
            "found": found,
            # Where a search began, it goes on.
            "way": _one_of(request.args.get("way"), ("questions", "synonym"), ""),
            "articles": articles,
            "languages": {one.key: guess_locale(one.text) for one in drafting},
            "misspelt": misspelt,
            "stray": stray,
            # Those of another language wait for an article in it.
            "ticked": {
                one.key
                for one in drafting
                if articles and guess_locale(one.text) == articles[0].locale
            }
            - misspelt
            - stray,
            "section": proposal.section,
            "sections": services().library.catalogue.taxonomy.sections,
            "title": proposal.title(proposal.locale),
            "locale": proposal.locale,
            "drafting": drafting,
            "held_out": sum(one.held_out for one in questions),
            # What customers said first, and what then found the article.
            "synonym_article": _said_otherwise(gap),
            "synonym": next((one.synonym for one in gap.evidence if len(one.synonym) == 2), ()),
            "locales": LOCALES,
            "deeds": standing(services().gaps.history(gap.number)),
        },
        "proof": proof,
        "proof_run": run_facts(run) if run else None,
        "proof_stale": bool(run and opened and run.digest != desk.digest(opened.text)),
        "proof_published": bool(
            published
            and opened
            and published.result
            and published.result.get("proved") == desk.digest(opened.text)
        ),
        "publish_run": run_facts(published) if published and told else None,
        "look": look,
        "interval": interval,
        "verdict_words": verdict_words,
    }


def draft(number: int) -> AnyResponse:
    """Write the file of an article that is to close the gap, and open it."""
    here = services()
    gap = here.gaps.get(number)
    locale = _one_of(request.form.get("locale"), LOCALES, gap.locale)
    proposal = Proposal(gap, here.gaps.questions(number))
    title = proposal.title_of(request.form.get("title", "").strip()[:200], locale)
    sections = tuple(here.library.catalogue.taxonomy.sections)
    section = _one_of(request.form.get("section"), sections, proposal.section or sections[0])
    known = list(listed(here.proof.root))
    other = _in_other_language(gap, locale, known)
    if other:
        source = here.library.catalogue.get(other.path.locale, other.id)
        path = ArticlePath(locale, other.path.section, other.path.slug)
    else:
        source = _source(gap, locale)
        taken = {one.id for one in known} | {one.path.slug for one in known}
        path = ArticlePath(
            locale,
            source.section if source else section,
            source.slug if source else free_slug(title, taken),
        )
    text = compose(
        Commission(
            gap=number, locale=locale, section=path.section, slug=path.slug, title=title,
            kind=gap.kind, owner=gap.owner or current_user().name, today=here.proof.today,
            questions=proposal.tests(locale),
            source=source,
            identity=other.id if other else "",
        )
    )  # fmt: skip
    try:
        here.proof.files.save(path, text, seen=None)
    except ArticleChanged:
        flash(_("There is an article at this address already: %(path)s", path=str(path)), "error")
        return back_to(number)
    except (ArticlesReadOnly, EditRefused) as error:
        return refused(number, error)
    audit("gap.drafted", f"gap-{number}", {"article": str(path)})
    commit_saved(str(path), why=f"draft for gap-{number}")
    if not other:  # whose article it has already, and is as far on as that
        identity = source.id if source else path.slug
        _move_on(gap, State.DRAFTED, f"{locale}:{identity}")
    flash(_("Draft written: %(path)s. Nothing is published yet.", path=str(path)))
    return redirect(_draft_url(path), 303)


def add(number: int) -> AnyResponse:
    """Add questions of the gap to those of an article that answers them."""
    here = services()
    gap = here.gaps.get(number)
    chosen = set(request.form.getlist("question"))
    texts = [
        one.text for one in here.gaps.questions(number) if one.key in chosen and not one.held_out
    ]
    if not texts:
        flash(_("Choose at least one question."), "error")
        return back_to(number)
    article = request.form.get("article", "").strip()
    try:
        path = by_id(here.proof.root, article)
        if others := [text for text in texts if guess_locale(text) != path.locale]:
            flash(_of_another_language(path, others), "error")
            return _back_to_search(number, "questions")
        opened = here.proof.files.read(path)
        text = add_questions(opened.text, texts)
        known = questions_in(opened.text)
        new = [one for one in questions_in(text) if one not in known]
        saved = here.proof.files.save(path, text, seen=opened.digest)
    except ArticleMissing:
        flash(_("There is no such article. Choose one from the list."), "error")
        return back_to(number)
    except (ArticleChanged, ArticlesReadOnly, EditRefused) as error:
        return refused(number, error)
    audit("gap.questions_added", f"gap-{number}", {"article": article, "questions": len(texts)})
    commit_saved(str(path), why=f"questions of gap-{number}")
    _move_on(gap, State.DRAFTED, article)
    if new:
        _note(gap, QUESTIONS, questions_detail(opened, saved, new, article))
    flash(_("Questions added to %(path)s. See the proof, then publish.", path=str(path)))
    return back_to(number)


def synonym(number: int) -> AnyResponse:
    """Add a customer's word for what the articles call otherwise."""
    here = services()
    gap = here.gaps.get(number)
    article = request.form.get("article", "").strip() or _said_otherwise(gap)
    said, meant = (request.form.get(field, "")[:60] for field in ("said", "meant"))
    locale = "zh-Hans" if _HAN.search(f"{said} {meant}") else "en"  # as `kb check` has it
    name = f"synonyms/{locale}.txt"
    try:
        if article:
            by_id(here.proof.root, article)
        opened = here.proof.files.read_shared(name)
        text = add_synonym(opened.text, said, meant)
        saved = here.proof.files.save_shared(name, text, seen=opened.digest)
    except ArticleMissing:
        flash(_("There is no such article. Choose one from the list."), "error")
        return back_to(number)
    except (ArticleChanged, ArticlesReadOnly, EditRefused) as error:
        return refused(number, error)
    audit("gap.synonym_added", f"gap-{number}", {"said": said, "meant": meant, "locale": locale})
    commit_saved(name, why=f"synonym for gap-{number}")
    if article and not (gap.article and gap.state == State.DRAFTED):  # its draft is its article
        _move_on(gap, State.DRAFTED, article)
    if text != opened.text:
        _note(gap, SYNONYM, synonym_detail(opened, saved, said, meant, article))
    flash(_("Added: “%(said)s” is also searched as “%(meant)s”.", said=said, meant=meant))
    return back_to(number)


def start_proof(number: int) -> AnyResponse:
    """Ask the gap's questions of an index with the article published, beside the present one."""
    here = services()
    gap = here.gaps.get(number)
    path = here.proof.article_of(gap)
    if path is None:
        flash(_("There is no article to prove yet: draft one or choose one first."), "error")
        return back_to(number)
    try:
        if _is_published(path):
            flash(_("Nothing differs from what is published: there is nothing to compare."))
            return back_to(number, "proof")
        here.proof.start_proof(
            gap, path, by=current_user().name,
            ended=audit_of_run("gap.proof", "gap.proof_failed", f"gap-{number}"),
        )  # fmt: skip
    except RunsBusy as busy:
        flash(_("Another proof or publish is under way."), "error")
        return redirect(url_for(".run", name=busy.run), 303)
    except NothingToProve:
        flash(_("The gap has no question to ask."), "error")
        return back_to(number)
    return back_to(number, "proof")


def proof_json(number: int) -> Response:
    """The last proof of a gap for programs; 404 without one."""
    _run, proof = services().proof.proof_of(number)
    if proof is None:
        raise ArticleMissing("no_proof")
    return json_file(f"gap-{number}-proof.json", {"gap": number, **proof.as_dict()})


def proof_as_csv(number: int) -> Response:
    """Every question of the last proof, one a line."""
    _run, proof = services().proof.proof_of(number)
    if proof is None:
        raise ArticleMissing("no_proof")
    return csv_file(f"gap-{number}-proof.csv", COLUMNS, rows(proof))


def _near(gap: Gap, questions: Sequence[GapQuestion]) -> list[Choice]:
    """Articles that may answer the gap: those its evidence names, then the nearest to its words,
    in each language that it was asked in."""
    library = services().library
    found: dict[str, Choice] = {}
    for evidence in gap.evidence:
        locale, _colon, name = evidence.article.partition(":")
        if name and (article := library.catalogue.get(locale, name)):
            found[evidence.article] = choice(article)
    asked = [gap.name, *gap.typical, *(one.text for one in questions)]
    languages = sorted(LOCALES, key=lambda locale: locale != gap.locale)
    nearest = [_nearest(locale, asked) for locale in languages]
    for one in chain.from_iterable(zip_longest(*nearest)):  # of each language in turn
        if one is not None:
            found.setdefault(one.key, one)
    return list(found.values())[:_NEAR]


def _nearest(locale: str, asked: Sequence[str]) -> Iterator[Choice]:
    """Articles of one language, by what was asked in it."""
    own = list(dict.fromkeys(text for text in asked if guess_locale(text) == locale))
    known = dict[str, Choice]()
    for text in own[:_ASKED]:
        for one in by_text(text, locale, limit=_NEAREST):
            known.setdefault(one.key, one)
    return iter(known.values())


def _stray(gap: Gap, questions: Sequence[GapQuestion]) -> set[str]:
    """Typical questions that the article, to which the others could be added, is not near to."""
    for evidence in gap.evidence:
        if evidence.key == "add_questions":
            stray = set(gap.typical[: evidence.of]) - set(evidence.questions)
            return {one.key for one in questions if one.text in stray}
    return set()


def _to_mend(gap: Gap, files: Sequence[Listed]) -> list[Listed]:
    """The files of the article that answers and does not help, or is out of date: it is better
    mended than joined by another one. The one that the evidence names stands first."""
    if gap.kind not in (Kind.NOT_HELPFUL, Kind.OUTDATED):
        return []
    named = next((one.article for one in gap.evidence if one.article), "")
    locale, _colon, article = named.partition(":")
    own = [one for one in files if article and one.id == article and one.status == "published"]
    return sorted(own, key=lambda one: one.path.locale != locale)


def _said_otherwise(gap: Gap) -> str:
    """The article that says in other words what customers asked for, by the gap's evidence."""
    return next((one.article for one in gap.evidence if len(one.synonym) == 2), "")


def _is_published(path: ArticlePath) -> bool:
    """Whether all that a publish of the article would take along is served already."""
    here = services()
    try:
        found = here.proof.differences(path, here.library.catalogue, here.library.generation)
    except KnowledgeBaseError:
        return False  # a mistake is told by the proof
    return not found.own and not found.others


def _in_other_language(gap: Gap, locale: str, known: Sequence[Listed]) -> Listed | None:
    """The gap's article where it is in another language than `locale` and not in that one."""
    of, _colon, name = (gap.article or "").partition(":")
    if of == locale or any((one.path.locale, one.id) == (locale, name) for one in known):
        return None
    return next((one for one in known if (one.path.locale, one.id) == (of, name)), None)


def _source(gap: Gap, locale: str) -> Article | None:
    """The article of the other language that is missing in this one."""
    catalogue = services().library.catalogue
    if gap.kind != "other_language":
        return None
    for evidence in gap.evidence:
        other, _colon, name = evidence.article.partition(":")
        article = catalogue.get(other, name) if name else None
        if article and other != locale and catalogue.get(locale, name) is None:
            taken = services().proof.files.exists(
                ArticlePath(locale, article.section, article.slug)
            )
            if not taken and is_name(article.slug):
                return article
    return None


def _move_on(gap: Gap, state: State, article: str) -> None:
    """The gap's state and article; who was quicker keeps theirs, the file is written anyway."""
    try:
        services().gaps.set_state(
            gap.number, state, by=current_user().name, version=gap.version, article=article
        )
    except KnowledgeBaseError:
        flash(_("The gap was changed meanwhile; see that it names the right article."), "error")


def _note(gap: Gap, action: str, detail: Mapping[str, object]) -> None:
    """What was put into a file, in the gap's history, from where it can be taken back."""
    try:
        services().proof.deeds.note(gap.number, action, detail, by=current_user().name)
    except KnowledgeBaseError:
        flash(_("It could not be noted in the gap’s history, so no page takes it back."), "error")


def refused(number: int, error: KnowledgeBaseError) -> AnyResponse:
    """Back to the gap, with why a file was not changed."""
    words = _("Nothing was changed.")
    if isinstance(error, ArticleChanged):
        words = _("Somebody else changed the file at the same moment. Try again.")
    elif isinstance(error, ArticlesReadOnly):
        words = _("This portal may not write the folder of articles.")
    flash(f"{words} {failure(error)}", "error")
    return back_to(number)


def _of_another_language(path: ArticlePath, texts: Sequence[str]) -> str:
    """Why questions are not added to an article in the other language."""
    return str(
        _(
            "Nothing was added: %(path)s is in %(language)s, and these questions are not: "
            "%(texts)s. Choose an article in their language for them, or untick them.",
            path=str(path),
            language=NAMES[path.locale],
            texts=_(", ").join(_("“%(text)s”", text=legible(text)) for text in texts[:_TOLD]),
        )
    )


def _back_to_search(number: int, way: str) -> AnyResponse:
    """To the form that was sent, with the articles that had been looked for."""
    find = request.form.get("find", "")[:LONGEST]
    return redirect(url_for(".gap", number=number, find=find, way=way, _anchor=f"way-{way}"), 303)


def back_to(number: int, anchor: str = "work") -> AnyResponse:
    """To a part of the gap's page."""
    return redirect(url_for(".gap", number=number, _anchor=anchor), 303)


def _draft_url(path: ArticlePath) -> str:
    return url_for(".draft", locale=path.locale, section=path.section, slug=path.slug)


def _one_of(value: str | None, allowed: tuple[str, ...], default: str) -> str:
    return value if value in allowed else default
