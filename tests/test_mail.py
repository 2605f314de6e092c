"""Hand-over mails, sent to a small SMTP server of the test's own."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from portal.config import Settings
from portal.mail import HandoverMail, MailFailed, can_mail, compose, send_handover

HANDOVER = HandoverMail(
    reference="HO-7K3M-92QD",
    locale="zh-Hans",
    query="运费险赔多少钱",
    message="水壶收到是坏的。\n想换一个。",
    reply_to="reader@example.com",
    articles=[("运费险怎么赔？", "https://help.example/zh-Hans/returns/shipping-insurance")],
)


class FakeSmtpServer(socketserver.ThreadingTCPServer):
    """Speaks just enough SMTP to take a message; `refuse` turns every recipient away."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.messages: list[EmailMessage] = []
        self.refuse = False

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.StreamRequestHandler):
    server: FakeSmtpServer

    def handle(self) -> None:
        self._say("220 fake")
        while line := self.rfile.readline():
            verb = line.split(b" ")[0].strip().upper()
            if verb == b"EHLO":
                self._say("250-fake")
                self._say("250 8BITMIME")
            elif verb == b"RCPT" and self.server.refuse:
                self._say("550 nobody here")
            elif verb == b"DATA":
                self._say("354 go on")
                self._take()
                self._say("250 taken")
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.messages.append(message_from_bytes(b"".join(lines), policy=policy.default))

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@pytest.fixture
def server() -> Iterator[FakeSmtpServer]:
    with FakeSmtpServer() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def mail_settings(url: str) -> Settings:
    return Settings(smtp_url=url, handover_mail="care@shop.example")


def test_mail_needs_a_server_and_a_recipient() -> None:
    assert can_mail(mail_settings("smtp://host"))
    assert not can_mail(Settings(smtp_url="smtp://host"))
    assert not can_mail(Settings(handover_mail="care@shop.example"))


def test_a_hand_over_arrives_complete(server: FakeSmtpServer) -> None:
    send_handover(mail_settings(server.url), HANDOVER)
    (message,) = server.messages
    assert message["Subject"] == "[HO-7K3M-92QD] 运费险赔多少钱"
    assert message["To"] == "care@shop.example"
    assert message["Reply-To"] == "reader@example.com"
    text = message.get_content().replace("\r\n", "\n")
    for piece in ("HO-7K3M-92QD", HANDOVER.message, "运费险怎么赔？", HANDOVER.articles[0][1]):
        assert piece in text


def test_what_was_typed_cannot_add_headers() -> None:
    typed = HandoverMail(
        "HO-1", "en", "hello\r\nBcc: all@example.com", "text", "a@b.example\nCc: x@y.example", []
    )
    message = compose(mail_settings("smtp://host"), typed)
    assert message["Bcc"] is None
    assert message["Cc"] is None
    assert "\n" not in message["Subject"]


def test_a_refusal_is_told(server: FakeSmtpServer) -> None:
    server.refuse = True
    with pytest.raises(MailFailed, match="did not take the mail"):
        send_handover(mail_settings(server.url), HANDOVER)


@pytest.mark.parametrize(
    "url", ["host:25", "http://host", "smtp://", "smtp://user:secret@127.0.0.1:1", "smtp://h:99999"]
)
def test_an_unusable_server_fails_without_telling_its_password(url: str) -> None:
    with pytest.raises(MailFailed) as failure:
        send_handover(mail_settings(url), HANDOVER)
    assert "secret" not in str(failure.value)
