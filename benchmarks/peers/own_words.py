"""This project's engines on exactly the terms that the other engines get."""

from __future__ import annotations

from pathlib import Path

from peers import own_engines
from peers.base import About, Material

ABOUT = About(
    name="this project, words alone",
    distribution="kb-portal",
    modes=("keyword", "vector", "hybrid"),
    note="As above without the pairs of Han characters: the same terms as every engine below.",
)


def build(material: Material, folder: Path) -> None:
    own_engines.build(material, folder, pairs=False)


def open_index(material: Material, folder: Path) -> own_engines.OwnEngines:
    return own_engines.open_index(material, folder, pairs=False)
