"""Hand-over: signatures, attempts, claims, the list of the dead, mail, and what a kill leaves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from conftest import NOW
from moved_clock import MovedClock
from portal.cli import cli
from portal.config import Settings, SettingsInvalid
from portal.database import migrate, open_engine
from portal.requests import webhook
from portal.requests.deliver import Deliverer, channels
from portal.requests.desk import open_desk
from portal.requests.drafts import Draft, Drafts
from portal.requests.http import HttpClient
from portal.requests.orders_csv import DEMO, CsvOrders
from portal.requests.outbox import CLAIMED, FIRST_PAUSE, LONGEST_PAUSE, Outbox, pause_after
from portal.requests.store import Channel, NewRequest, Request, RequestStore
from portal.requests.worker import DeliveryThread
from portal.services import Services
from search.catalogue import Catalogue
from test_mail import FakeSmtpServer
from test_mail import server as smtp
from test_requests_orders import http_server, reply

__all__ = ["smtp"]

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes or so!").decode()
NEW = NewRequest(
    locale="en",
    platform="wrenfield",
    order_number="WF-204-118-552",
    contact="mara.lindqvist@example.com",
    items=[{"sku": "WF-TEA-07", "titles": {"en": "Stoneware teapot"}, "quantity": 1}],
    reason="damaged",
    wish="refund",
    comments="Crushed. Call me: +44 20 7946 0123",
    shown=("en:damaged-on-arrival",),
    opened=("en:damaged-on-arrival", "en:gone-article"),
    verdict={"outcome": "yes", "because": "in-time", "until": "2026-12-04",
             "article": "damaged-on-arrival", "locale": "en", "section": "deadline"},
)  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'requests.db'}")
    migrate(made)
    yield made
    made.dispose()


def store_request(
    engine: sa.Engine, *ways: Channel, now: datetime = NOW, key: str = "key"
) -> Request:
    """A stored request with its deliveries, by way of a draft as the form has one."""
    order = CsvOrders(DEMO, lambda: NOW).get("WF-204-118-552")
    assert order is not None
    Drafts(engine).add(key, Draft("session-1", order, "x@example.com"), now)
    sent = RequestStore(engine).send(NEW, draft_key=key, channels=ways, now=now)
    assert sent is not None
    return sent


class Receiver:
    """What a shop runs: checks nothing, writes down all, answers by the list, then 204."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.got: list[tuple[dict[str, str], bytes]] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.got.append(({k.lower(): v for k, v in handler.headers.items()}, body))
        status = self.statuses.pop(0) if self.statuses else 204
        headers = {"Location": "http://127.0.0.1:1/elsewhere"} if status == 302 else {}
        reply(handler, status, **headers)


def deliverer(
    engine: sa.Engine, catalogue: Catalogue, address: str, clock: MovedClock, **more: Any
) -> Deliverer:
    settings = Settings(
        webhook_url=address, webhook_secret=SECRET, base_url="https://help.example", **more
    )
    return Deliverer(
        settings, RequestStore(engine), Outbox(engine, lambda: 0.5), lambda: catalogue, clock,
        HttpClient(most_seconds=1.0),
    )  # fmt: skip


@pytest.fixture
def catalogue(services: Services) -> Catalogue:
    return services.library.catalogue


# Signatures


def test_the_signature_is_that_of_the_convention() -> None:
    """The example of the specification of Standard Webhooks."""
    key = webhook.read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = webhook.sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def verify(headers: dict[str, str], body: bytes) -> bool:
    """A receiver's own check, as docs/webhook.md describes it, by openssl where it is there."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    try:
        done = subprocess.run(
            ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}",
             "-binary"], input=signed, capture_output=True, check=True,
        )  # fmt: skip
        digest = done.stdout
    except FileNotFoundError:
        digest = hmac.digest(key, signed, hashlib.sha256)
    expected = "v1," + base64.b64encode(digest).decode()
    return hmac.compare_digest(expected, headers["webhook-signature"])


@pytest.mark.parametrize("secret", ["", "short", "whsec_", "whsec_!!!!", "whsec_c2hvcnQ="])
def test_a_secret_that_protects_nothing_is_refused_without_being_told(
    secret: str, engine: sa.Engine, catalogue: Catalogue
) -> None:
    settings = Settings(webhook_url="https://shop.example/hook", webhook_secret=secret)
    with pytest.raises(SettingsInvalid, match="KB_WEBHOOK_SECRET: has to be whsec_") as failure:
        open_desk(settings, engine, lambda: catalogue, lambda: NOW)
    assert secret in ("", "short", "whsec_") or secret not in str(failure.value)
    assert SECRET not in repr(Settings(webhook_secret=SECRET))


# Attempts


def test_a_webhook_arrives_signed_and_complete(engine: sa.Engine, catalogue: Catalogue) -> None:
    sent = store_request(engine, "webhook")
    receiver = Receiver()
    with http_server(receiver) as address:
        assert deliverer(engine, catalogue, address, MovedClock()).deliver_due() == (1, 0)
    ((headers, body),) = receiver.got
    assert verify(headers, body)
    assert not verify(headers, body + b" ")
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    message = json.loads(body)
    assert message["type"] == "refund_request.sent"
    data = message["data"]
    assert data["number"] == sent.number
    assert (data["contact"], data["order_number"]) == (NEW.contact, NEW.order_number)
    assert data["comments"] == NEW.comments
    assert data["eligibility"] == dict(NEW.verdict)
    assert [each["id"] for each in data["articles"]["read"]] == ["damaged-on-arrival"]
    assert data["articles"]["shown"][0]["url"].startswith("https://help.example/en/problems/")
    assert data["status_url"] == f"https://help.example/en/requests/{sent.token}"
    found = RequestStore(engine).by_id(sent.id)
    assert found is not None
    assert [way.state for way in found.deliveries] == ["delivered"]


def test_a_failing_receiver_is_tried_again_with_the_same_id_and_body(
    engine: sa.Engine, catalogue: Catalogue
) -> None:
    store_request(engine, "webhook")
    receiver, clock = Receiver(500, 302), MovedClock()
    with http_server(receiver) as address:
        worker = deliverer(engine, catalogue, address, clock)
        assert worker.deliver_due() == (0, 1)
        assert worker.deliver_due() == (0, 0)  # not due yet
        clock.now += FIRST_PAUSE
        assert worker.deliver_due() == (0, 1)
        clock.now += FIRST_PAUSE * 3
        assert worker.deliver_due() == (1, 0)
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    assert len({body for _headers, body in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for headers, _body in receiver.got}) == 3
    assert all(verify(headers, body) for headers, body in receiver.got)


def test_pauses_grow_threefold_up_to_half_a_day_and_vary_by_a_fifth() -> None:
    middle = [pause_after(attempts, lambda: 0.5) for attempts in range(1, 13)]
    assert middle[:3] == [FIRST_PAUSE, FIRST_PAUSE * 3, FIRST_PAUSE * 9]
    assert middle[-1] == LONGEST_PAUSE
    assert pause_after(1, lambda: 0.0) == FIRST_PAUSE * 0.8
    assert pause_after(1, lambda: 1.0) == FIRST_PAUSE * 1.2


def test_after_ten_attempts_a_delivery_is_dead_and_can_be_revived(
    engine: sa.Engine, catalogue: Catalogue
) -> None:
    sent = store_request(engine, "webhook")
    receiver, clock, outbox = Receiver(*[503] * 10), MovedClock(), Outbox(engine)
    with http_server(receiver) as address:
        worker = deliverer(engine, catalogue, address, clock)
        for _ in range(20):
            worker.deliver_due()
            clock.now += LONGEST_PAUSE
        assert len(receiver.got) == 10
        (dead,) = outbox.dead()
        assert (dead.request_id, dead.attempts, dead.error) == (sent.id, 10, "answered 503")
        assert outbox.revive(sent.id, clock.now) == 1
        assert worker.deliver_due() == (1, 0)
    assert outbox.dead() == []


def test_gone_is_dead_at_once_and_retry_after_is_kept(
    engine: sa.Engine, catalogue: Catalogue
) -> None:
    store_request(engine, "webhook")
    with http_server(Receiver(410)) as address:
        deliverer(engine, catalogue, address, MovedClock()).deliver_due()
    assert [way.attempts for way in Outbox(engine).dead()] == [1]
    store_request(engine, "webhook", key="two")
    clock = MovedClock()
    with http_server(lambda handler: reply(handler, 429, Retry_After="3600")) as address:
        worker = deliverer(engine, catalogue, address, clock)
        assert worker.deliver_due() == (0, 1)
        clock.now += timedelta(minutes=59)
        assert worker.deliver_due() == (0, 0)
        clock.now += timedelta(minutes=1)
        assert worker.deliver_due() == (0, 1)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "http://does-not-exist.invalid/"])
def test_an_address_that_cannot_be_reached_is_a_failed_attempt(
    engine: sa.Engine, catalogue: Catalogue, address: str
) -> None:
    sent = store_request(engine, "webhook")
    assert deliverer(engine, catalogue, address, MovedClock()).deliver_due() == (0, 1)
    found = RequestStore(engine).by_id(sent.id)
    assert found is not None
    assert "cannot be reached" in found.deliveries[0].error


# Claims


def test_no_two_workers_take_the_same_delivery(engine: sa.Engine, catalogue: Catalogue) -> None:
    for number in range(12):
        store_request(engine, "webhook", key=f"key-{number}")
    receiver = Receiver()
    with http_server(receiver) as address:
        workers = [deliverer(engine, catalogue, address, MovedClock()) for _ in range(4)]

        def work(worker: Deliverer) -> None:
            for _ in range(50):
                try:
                    worker.deliver_due()
                    return
                except sa.exc.OperationalError:  # locked for longer than requests may wait
                    time.sleep(0.02)

        threads = [threading.Thread(target=work, args=[worker]) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        deliverer(engine, catalogue, address, MovedClock()).deliver_due()
    ids = [headers["webhook-id"] for headers, _body in receiver.got]
    assert len(ids) == len(set(ids)) == 12


def test_a_claim_that_ran_out_is_another_workers_and_the_first_one_has_no_say(
    engine: sa.Engine,
) -> None:
    store_request(engine, "webhook")
    outbox = Outbox(engine)
    first = outbox.claim(NOW)
    assert first is not None
    assert outbox.claim(NOW) is None
    second = outbox.claim(NOW + CLAIMED)
    assert second is not None
    assert second.id == first.id
    outbox.delivered(second, NOW + CLAIMED)
    outbox.failed(first, "too late", NOW + CLAIMED)
    found = RequestStore(engine).by_id(first.request_id)
    assert found is not None
    assert found.deliveries[0].state == "delivered"


def _deliver_and_hang(url: str, claimed: Any) -> None:
    """A worker process that is killed in the middle of an attempt."""
    found = Outbox(open_engine(url)).claim(NOW)
    assert found is not None
    claimed.set()
    time.sleep(60)


def test_a_worker_that_is_killed_loses_nothing(engine: sa.Engine, catalogue: Catalogue) -> None:
    store_request(engine, "webhook")
    context = multiprocessing.get_context("spawn")
    claimed = context.Event()
    process = context.Process(target=_deliver_and_hang, args=(str(engine.url), claimed))
    process.start()
    assert claimed.wait(30)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    receiver, clock = Receiver(), MovedClock()
    with http_server(receiver) as address:
        worker = deliverer(engine, catalogue, address, clock)
        assert worker.deliver_due() == (0, 0)
        clock.now += CLAIMED
        assert worker.deliver_due() == (1, 0)
    assert len(receiver.got) == 1


def test_a_draft_is_sent_once(engine: sa.Engine) -> None:
    store_request(engine, "webhook")
    again = RequestStore(engine).send(NEW, draft_key="key", channels=["webhook"], now=NOW)
    assert again is None
    assert len(RequestStore(engine).since(NOW)) == 1


def test_the_thread_delivers_when_it_is_woken_and_ends_when_it_is_stopped(
    engine: sa.Engine, catalogue: Catalogue
) -> None:
    receiver, tidied = Receiver(), threading.Event()
    with http_server(receiver) as address:
        worker = deliverer(engine, catalogue, address, MovedClock())
        thread = DeliveryThread(worker, tidied.set, poll_seconds=30)
        thread.start()
        assert tidied.wait(10)
        store_request(engine, "webhook")
        thread.wake()
        for _ in range(200):
            if receiver.got:
                break
            time.sleep(0.02)
        thread.stop()
    assert len(receiver.got) == 1


# Mail


def test_a_mail_reaches_a_real_server_and_can_be_answered(
    engine: sa.Engine, catalogue: Catalogue, smtp: FakeSmtpServer
) -> None:
    sent = store_request(engine, "mail")
    settings = Settings(smtp_url=smtp.url, handover_mail="care@shop.example")
    assert channels(settings) == ("mail",)
    worker = Deliverer(
        settings, RequestStore(engine), Outbox(engine), lambda: catalogue, lambda: NOW
    )
    smtp.refuse = True
    assert worker.deliver_due() == (0, 1)
    smtp.refuse = False
    Outbox(engine).revive(sent.id, NOW)
    assert worker.deliver_due() == (1, 0)
    (message,) = smtp.messages
    assert message["Subject"] == f"[{sent.number}] It arrived damaged"
    assert message["Reply-To"] == NEW.contact
    text = message.get_content().replace("\r\n", "\n")
    for piece in (NEW.order_number, NEW.comments, "1 x Stoneware teapot (WF-TEA-07)",
                  "likely yes, until 2026-12-04, by damaged-on-arrival#deadline",
                  "My item arrived damaged"):  # fmt: skip
        assert piece in text


# Age, and the command line


def test_what_names_the_sender_is_erased_by_age_and_undelivered_requests_die(
    engine: sa.Engine, tmp_path: Path
) -> None:
    sent = store_request(engine, "webhook")
    store = RequestStore(engine)
    assert store.erase_contacts(NOW) == 0
    assert store.erase_contacts(NOW + timedelta(seconds=1)) == 1
    found = store.by_id(sent.id)
    assert found is not None
    assert found.contact is None
    assert found.comments == "Crushed. Call me: [phone]"
    assert [way.state for way in found.deliveries] == ["dead"]
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("requests.db*"))
    for planted in (NEW.contact, "7946 0123", NEW.order_number, "x@example.com"):
        assert planted.encode() not in kept, planted


@pytest.fixture
def kb(runner: CliRunner, services: Services, settings: Settings) -> CliRunner:
    """The command line over the database of the test, with a webhook that refuses connections."""
    assert runner.env is not None
    runner.env.update(KB_WEBHOOK_URL="http://127.0.0.1:1/", KB_WEBHOOK_SECRET=SECRET)
    return runner


def run(kb: CliRunner, *arguments: str, code: int = 0) -> str:
    done = kb.invoke(cli, ["requests", *arguments])
    assert done.exit_code == code, done.output
    return done.output if code else done.stdout


def test_the_commands_list_show_deliver_and_revive(kb: CliRunner, services: Services) -> None:
    now = datetime.now(NOW.tzinfo)
    sent = store_request(services.engine, "webhook", now=now)
    listed = json.loads(run(kb, "list", "--json"))
    assert [row["number"] for row in listed] == [sent.number]
    assert NEW.contact not in run(kb, "list")
    assert NEW.contact not in json.dumps(listed)
    assert sent.token not in json.dumps(listed)
    assert NEW.contact in run(kb, "show", sent.number.lower())
    assert json.loads(run(kb, "show", sent.number, "--json"))["contact"]["contact"] == NEW.contact
    assert "0 delivered, 1 failed." in run(kb, "deliver", code=1)
    assert run(kb, "dead") == "Nothing was given up.\n"
    claimed = Outbox(services.engine).claim(now + timedelta(hours=1))
    assert claimed is not None
    Outbox(services.engine).failed(claimed, "no", now, for_good=True)
    (row,) = json.loads(run(kb, "dead", "--json"))
    assert (row["number"], row["error"], row["attempts"]) == (sent.number, "no", 2)
    assert json.loads(run(kb, "redeliver", "--dead", "--json")) == {"waiting": 1}
    assert run(kb, "redeliver", sent.number) == "Waiting to go out again: 1\n"
    receiver = Receiver()
    with http_server(receiver) as address:
        assert kb.env is not None
        kb.env["KB_WEBHOOK_URL"] = address
        assert json.loads(run(kb, "deliver", "--json")) == {"delivered": 1, "failed": 0}
    assert verify(*receiver.got[0])
    assert "no such request" in run(kb, "show", "RR-0", code=2)
    assert "no such request" in run(kb, "redeliver", "RR-0", code=2)
    run(kb, "redeliver", code=2)


def test_purge_erases_by_the_setting_or_the_option(kb: CliRunner, services: Services) -> None:
    now = datetime.now(NOW.tzinfo)
    store_request(services.engine, now=now - timedelta(days=31))
    store_request(services.engine, now=now - timedelta(days=29), key="two")
    assert run(kb, "purge") == "Erased the details of 1 requests older than 30 days, 0 drafts.\n"
    assert "details of 1 requests older than 7 days" in run(kb, "purge", "--days", "7")


def test_settings_decide_the_ways(tmp_path: Path) -> None:
    assert channels(Settings()) == ()
    both = Settings(
        webhook_url="https://shop.example", smtp_url="smtp://h", handover_mail="a@b.example"
    )
    assert channels(both) == ("webhook", "mail")
