"""A search on the terminal."""

from __future__ import annotations

from search.types import Explanation, Response


def show_response(found: Response) -> str:
    """The answer, or that there is none, and the results below it."""
    lines: list[str] = []
    if found.trace.changes:
        read = ", ".join(f"{c.used!r} for {c.found!r} ({c.kind})" for c in found.trace.changes)
        lines += [f"Searched for {read}; --exact takes every word as it stands.", ""]
    if found.trace.doubts:
        meant = ", ".join(f"{c.used!r} by {c.found!r}" for c in found.trace.doubts)
        lines += [f"Did you mean {meant}?", ""]
    if found.answer:
        source = found.answer.article
        place = f"{source.path}#{found.answer.anchor}" if found.answer.anchor else source.path
        lines += [
            found.answer.text,
            f"  {source.title} ({place}), verified {source.verified_on}, "
            f"confidence {found.confidence:.2f}",
            "",
        ]
    elif found.results:
        lines += [f"Not sure (confidence {found.confidence:.2f}). Nearest articles:", ""]
    for number, result in enumerate(found.results, 1):
        label = f" [{result.article.locale}]" if result.translated else ""
        lines.append(f"{number}. {result.article.title}{label}  {result.score:.3f}")
        lines.append(f"   {result.article.path}")
        lines.append("   " + "".join(span.text for span in result.snippet))
        if result.explanation:
            lines += _explain(result.explanation)
    if not found.results:
        lines.append("Nothing was found.")
    lines += [f"! {problem}" for problem in found.trace.degraded]
    if any(result.explanation for result in found.results):
        features = ", ".join(f"{k} {v:.3f}" for k, v in found.trace.features.items())
        timings = ", ".join(f"{k} {v:.1f} ms" for k, v in found.trace.timings_ms.items())
        lines += ["", f"terms: {' '.join(found.trace.terms)}"]
        lines += [
            f"synonyms: {phrase} -> {', '.join(others)}"
            for phrase, others in found.trace.synonyms.items()
        ]
        lines += [f"vector weight {found.trace.vector_weight:.2f}; {features}", timings]
    return "\n".join(lines)


def _explain(why: Explanation) -> list[str]:
    terms = ", ".join(f"{term} {score:.2f}" for term, score in why.terms) or "none"
    parts = " + ".join(f"{name} {value:.2f}" for name, value in why.parts.items())
    return [
        f"   passage {why.passage_id}: keyword {why.keyword:.2f} ({terms}); "
        f"similarity {why.similarity:.3f}",
        f"   score {why.score:.2f} = {parts}",
    ]
