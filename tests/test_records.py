"""Records on disk: what was written is what is read, by row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.errors import IndexDamaged
from search.records import RecordFile, write_records

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
# JSON has no lone surrogates in UTF-8; neither has an article that could be read.
records = st.lists(st.dictionaries(st.text(max_size=8), values, max_size=4), max_size=12)


@given(records)
@settings(max_examples=40, deadline=None)
def test_records_come_back_by_row_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, written: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.mktemp("records") / "things.jsonl"
    assert write_records(path, written) == len(written)
    file = RecordFile(path)
    assert len(file) == len(written)
    assert [file[row] for row in range(len(file))] == written
    assert [file[row] for row in reversed(range(len(file)))] == written[::-1]


def test_the_file_is_plain_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "things.jsonl"
    write_records(path, [{"a": "退款\n"}, {"b": "\u2028"}])
    lines = path.read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == [{"a": "退款\n"}, {"b": "\u2028"}]


@pytest.mark.parametrize("row", [-1, 2, 10**9])
def test_a_row_outside_the_file_is_an_index_error(tmp_path: Path, row: int) -> None:
    write_records(tmp_path / "x.jsonl", [{}, {}])
    with pytest.raises(IndexError):
        RecordFile(tmp_path / "x.jsonl")[row]


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    assert write_records(tmp_path / "x.jsonl", []) == 0
    assert len(RecordFile(tmp_path / "x.jsonl")) == 0


def _damage(folder: Path, name: str, content: bytes | None) -> Path:
    path = folder / "x.jsonl"
    write_records(path, [{"a": 1}, {"b": 2}])
    target = folder / name
    if content is None:
        target.unlink()
    else:
        target.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["x.jsonl", "x.offsets.npy"])
@pytest.mark.parametrize("content", [None, b"", b'{"a":1}\n', b"\x93NUMPY\x01\x00", b"\0" * 40])
def test_a_damaged_file_is_refused_by_name_when_opened(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = _damage(tmp_path, name, content)
    with pytest.raises(IndexDamaged, match=r"x\.jsonl: .*kb index --rebuild"):
        RecordFile(path)


def test_offsets_of_no_record_at_all_are_refused(tmp_path: Path) -> None:
    path = _damage(tmp_path, "x.jsonl", b"")
    np.save(tmp_path / "x.offsets.npy", np.empty(0, np.int64))
    with pytest.raises(IndexDamaged, match="offsets say otherwise"):
        RecordFile(path)


def test_a_garbled_line_of_the_right_length_is_refused_by_line_when_read(tmp_path: Path) -> None:
    path = _damage(tmp_path, "x.jsonl", b'{"a":1}\n{"b"\xff2}\n')
    file = RecordFile(path)
    assert file[0] == {"a": 1}
    with pytest.raises(IndexDamaged, match=r"x\.jsonl:2: .*kb index --rebuild"):
        file[1]


def test_an_open_file_outlives_its_removal(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    write_records(path, [{"a": 1}])
    file = RecordFile(path)
    path.unlink()
    (tmp_path / "x.offsets.npy").unlink()
    assert file[0] == {"a": 1}
