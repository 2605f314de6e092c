"""One article file: parsed, rendered, split into passages and checked by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from indexer.check_file import check_file
from indexer.frontmatter import Location, Parsed, parse
from indexer.markdown import Link, Rendered, Renderer, relative_target
from indexer.passages import split_article
from indexer.problems import Problem
from indexer.schema import FrontMatter, PolicyModel
from search.text import normalise
from search.types import Article, Passage, PolicyClause, Source

_KEY = 16  # bytes


@dataclass(frozen=True, slots=True)
class File:
    """What one file says. `path` is relative to the folder of articles, `name` as it is shown."""

    path: str
    name: str
    status: str
    article: Article
    """What is published of it."""
    passages: tuple[Passage, ...]
    key: str
    """A digest of the two, which are what goes into a generation."""
    links: tuple[Link, ...]
    targets: tuple[str | None, ...]
    """The path each link leads to, None where it stays on the page."""
    addresses: tuple[str, ...]
    """Paths of this site that it links to."""
    dead: tuple[str, ...]
    """Those of the targets at which no file was; links to them were left as text."""
    named: Mapping[str, tuple[str, ...]]
    """The keys of each group of the taxonomy that stand in it."""
    wording: tuple[str, ...]
    """The title and the questions as they are compared, normalised."""
    problems: tuple[Problem, ...]
    """What is wrong with it whatever else the folder holds."""
    source: bytes
    """Its front matter and body, encoded: few files are asked for them again."""

    @property
    def parsed(self) -> Parsed:
        """Its front matter and body; decoded at each call."""
        return _decode(self.source)

    @property
    def rendered(self) -> Rendered:
        return Rendered(self.article.html, self.article.headings, self.links)

    @property
    def locale(self) -> str:
        return self.article.locale

    @property
    def section(self) -> str:
        return self.article.section

    @property
    def slug(self) -> str:
        return self.article.slug

    @property
    def site_path(self) -> str:
        return self.article.path

    def fits(self, known: Container[str]) -> bool:
        """Whether its links would be resolved as they were, with files at the `known` paths."""
        return not self.targets or self.dead == _dead(self.targets, known)


class FileReader:
    """Reads the files of one folder. Not for several threads at once."""

    def __init__(self, known: Collection[str]) -> None:
        """`known` has the paths of all its files, which links may lead to."""
        self._known = known
        self._renderer = Renderer()

    def read(self, path: str, name: str, text: str) -> File | list[Problem]:
        """The file, or every problem of its front matter."""
        parsed = parse(text, name)
        if not isinstance(parsed, Parsed):
            return parsed

        def resolve(target: str) -> str | None:
            to = relative_target(path, target)
            return "/" + to.removesuffix(".md") if to in self._known else None

        rendered = self._renderer.render(parsed.body, resolve=resolve)
        targets = tuple(
            None
            if link.target.startswith("#")
            else relative_target(path, link.target.partition("#")[0])
            for link in rendered.links
        )
        article = _article(path, parsed.front, rendered)
        passages = split_article(
            article_id=article.id, locale=article.locale, title=article.title, html=article.html
        )
        problems = check_file(name, article.section, parsed, rendered, empty=not passages)
        return File(
            path=path,
            name=name,
            status=parsed.front.status,
            article=article,
            passages=tuple(passages),
            key=_key(article, passages),
            links=rendered.links,
            targets=targets,
            addresses=tuple(
                link for link in rendered.elsewhere if link.startswith("/") and link[1:2] != "/"
            ),
            dead=_dead(targets, self._known),
            named=_named(parsed.front),
            wording=tuple(map(normalise, (article.title, *article.questions))),
            problems=tuple(problems),
            source=_encode(parsed),
        )


class _Source(msgspec.Struct, array_like=True):
    """A `Parsed` as it is encoded."""

    front: str
    """As JSON."""
    body: str
    body_line: int
    lines: tuple[tuple[Location, int], ...]


_SOURCES = msgspec.msgpack.Decoder(_Source)


def _encode(parsed: Parsed) -> bytes:
    front, lines = parsed.front.model_dump_json(), tuple(parsed.lines.items())
    return msgspec.msgpack.encode(_Source(front, parsed.body, parsed.body_line, lines))


def _decode(source: bytes) -> Parsed:
    found = _SOURCES.decode(source)
    front = FrontMatter.model_validate_json(found.front)
    return Parsed(front, found.body, found.body_line, dict(found.lines))


def _key(article: Article, passages: Iterable[Passage]) -> str:
    digest = hashlib.blake2b(msgspec.json.encode(article), digest_size=_KEY)
    for passage in passages:
        digest.update(b"\n" + msgspec.json.encode(passage))
    return digest.hexdigest()


def _dead(targets: Iterable[str | None], known: Container[str]) -> tuple[str, ...]:
    return tuple(target for target in targets if target is not None and target not in known)


def _named(front: FrontMatter) -> dict[str, tuple[str, ...]]:
    parts: tuple[FrontMatter | PolicyModel, ...] = (front, *front.policy)
    return {
        "sections": (front.section,),
        "reasons": tuple({key: None for part in parts for key in part.reasons}),
        "platforms": tuple({key: None for part in parts for key in part.platforms}),
        "evidence": tuple({key: None for clause in front.policy for key in clause.evidence}),
    }


def _article(path: str, front: FrontMatter, rendered: Rendered) -> Article:
    locale, section, slug = path.removesuffix(".md").split("/")
    return Article(
        id=front.id,
        locale=locale,
        section=section,
        slug=slug,
        title=front.title,
        summary=front.summary,
        html=rendered.html,
        headings=rendered.headings,
        updated=front.updated,
        verified_on=front.verified_on,
        review_by=front.review_by,
        owner=front.owner,
        tags=front.tags,
        reasons=front.reasons,
        platforms=front.platforms,
        questions=front.questions,
        policy=tuple(
            PolicyClause(
                **{
                    **clause.model_dump(),
                    "platforms": clause.platforms or front.platforms,
                    "reasons": clause.reasons or front.reasons,
                }
            )
            for clause in front.policy
        ),
        sources=tuple(
            Source(source.title, str(source.url), source.verified_on) for source in front.sources
        ),
        redirect_from=front.redirect_from,
    )
