"""The stretch of text that an edit put into a file, so that exactly it can be cut out again."""

from __future__ import annotations

from dataclasses import dataclass

from portal.drafts.lines import common


@dataclass(frozen=True, slots=True)
class Added:
    """`text` stands in the edited file from character `at` on; empty where nothing was added."""

    at: int
    text: str

    @classmethod
    def between(cls, before: str, after: str) -> Added:
        """What `after` has and `before` has not. Raises `ValueError` where that is no one stretch.

        An edit that only adds leaves the file's beginning and end as they were.
        """
        at, length = common(before, after), len(after) - len(before)
        if length < 0 or before[at:] != after[at + length :]:
            raise ValueError("the edit did not only add")
        return cls(at, after[at : at + length])

    def cut_from(self, after: str) -> str:
        """The file as it was before. Raises `ValueError` where the stretch stands there no more."""
        end = self.at + len(self.text)
        if after[self.at : end] != self.text:
            raise ValueError("the file is another one")
        return after[: self.at] + after[end:]
