"""The command line says the same as the portal, with exit codes and help."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from portal.cli import cli
from tests_support import ROOT


def test_search_says_the_same_as_the_api(runner: CliRunner, client: FlaskClient) -> None:
    done = runner.invoke(cli, ["search", "refund to gift card", "--json", "--limit", "10"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    served = client.get("/api/v1/search?q=refund+to+gift+card").json
    for body in (said, served):
        body.pop("search_id")
        # The model's sums come out a millionth apart, depending on where its numbers lie in memory.
        for result in body["results"]:
            result["score"] = pytest.approx(result["score"], abs=1e-4)
        body["confidence"] = pytest.approx(body["confidence"], abs=1e-3)
    assert said == served


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "vector"])
def test_search_prints_results_in_every_mode(runner: CliRunner, mode: str) -> None:
    done = runner.invoke(cli, ["search", "gift card refund", "--mode", mode])
    assert done.exit_code == 0
    assert "/en/refunds/refund-gift-cards" in done.stdout


def test_search_explains_itself(runner: CliRunner) -> None:
    done = runner.invoke(cli, ["search", "gift card refund", "--explain"])
    assert "similarity" in done.stdout
    assert "gift" in done.stdout


def test_search_says_not_sure(runner: CliRunner) -> None:
    done = runner.invoke(cli, ["search", "can I bring my dog to your warehouse"])
    assert done.stdout.startswith("Not sure")


def test_an_unknown_locale_is_exit_code_2(runner: CliRunner) -> None:
    done = runner.invoke(cli, ["search", "x", "--locale", "fr"])
    assert done.exit_code == 2
    assert "--locale" in done.stderr


def test_without_an_index_the_message_says_what_to_do(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KB_DATA", str(tmp_path / "none"))
    done = runner.invoke(cli, ["search", "x"])
    assert done.exit_code == 3
    assert "kb index" in done.stderr


def test_check_passes_on_the_shipped_articles(runner: CliRunner) -> None:
    done = runner.invoke(cli, ["check"])
    assert done.exit_code == 0, done.stdout
    assert " 0 errors" in done.stdout


def test_check_names_every_error_and_ends_with_2(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "articles"
    shutil.copytree(ROOT / "articles", folder)
    for name in ("refund-timing", "refund-methods"):
        path = folder / "en" / "refunds" / f"{name}.md"
        path.write_text(path.read_text("utf-8").replace("status: published", "status: live"))
    monkeypatch.setenv("KB_ARTICLES", str(folder))
    done = runner.invoke(cli, ["check", "--json"])
    assert done.exit_code == 2
    wrong = [row for row in json.loads(done.stdout) if row["field"] == "status"]
    assert {Path(row["path"]).stem for row in wrong} == {"refund-timing", "refund-methods"}


def test_index_says_when_nothing_has_changed(runner: CliRunner) -> None:
    done = runner.invoke(cli, ["index"])
    assert done.exit_code == 0, done.output
    assert "Nothing has changed" in done.stdout


def test_generations_marks_the_current_one(runner: CliRunner) -> None:
    rows = json.loads(runner.invoke(cli, ["generations", "--json"]).stdout)
    assert [row["current"] for row in rows].count(True) == 1


def test_rollback_without_an_earlier_generation_says_so(runner: CliRunner) -> None:
    done = runner.invoke(cli, ["rollback"])
    assert done.exit_code == 2
    assert "no earlier generation" in done.stderr


def test_purge_removes_what_is_older_than_the_retention(
    runner: CliRunner, client: FlaskClient
) -> None:
    client.get("/api/v1/search?q=refund+to+gift+card")
    kept = runner.invoke(cli, ["events", "purge", "--days", "36500"])
    assert "Removed 0 events" in kept.stdout


def test_the_golden_questions_can_be_measured(runner: CliRunner, tmp_path: Path) -> None:
    golden = tmp_path / "golden.jsonl"
    rows = [
        {"id": "1", "text": "refund to gift card", "articles": ["refund-gift-cards"]},
        {"id": "2", "text": "who won the world cup", "articles": []},
    ]
    golden.write_text("\n".join(json.dumps({"locale": "en", **row}) for row in rows))
    done = runner.invoke(cli, ["eval", str(golden), "--json"])
    assert done.exit_code == 0, done.output
    modes = json.loads(done.stdout)["modes"]
    assert set(modes) == {"hybrid", "keyword", "vector"}
    assert modes["hybrid"]["metrics"]["P@1"] == 1.0
    assert modes["hybrid"]["auroc"] == 1.0


def test_every_command_has_help() -> None:
    for command in cli.commands.values():
        assert command.help, command.name


def test_the_installed_script_runs() -> None:
    kb = Path(sys.executable).parent / "kb"
    done = subprocess.run([kb, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("kb, version")
