"""A small OpenID Connect provider of the tests' own: oidc-provider-mock, made to insist on PKCE.

Run as a program with the port as its argument; it answers until it is stopped.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")  # the provider's own modules are deprecated ones of Authlib

import oidc_provider_mock._app as provider  # noqa: E402
from authlib.oauth2.rfc7636 import CodeChallenge  # noqa: E402
from werkzeug.serving import run_simple  # noqa: E402

_CHALLENGES: dict[str, tuple[str, str]] = {}


class _Challenge(CodeChallenge):
    """PKCE, which the provider leaves out; without S256 nothing is answered."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012

    def get_authorization_code_challenge(self, authorization_code: Any) -> str:
        return _CHALLENGES[authorization_code.code][0]

    def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:
        return _CHALLENGES[authorization_code.code][1]


class _Grant(provider.AuthorizationCodeGrant):
    def save_authorization_code(self, code: str, request: Any) -> None:
        asked = request.payload.data
        _CHALLENGES[code] = asked["code_challenge"], asked["code_challenge_method"]
        super().save_authorization_code(code, request)


class _Server(provider.flask_oauth2.AuthorizationServer):
    def register_grant(self, grant_cls: Any, extensions: Any = None) -> None:
        if grant_cls is provider.AuthorizationCodeGrant:
            super().register_grant(_Grant, [*extensions, _Challenge(required=True)])
        else:
            super().register_grant(grant_cls, extensions)


if __name__ == "__main__":
    provider.flask_oauth2.AuthorizationServer = _Server
    app = provider.app(require_nonce=True)
    run_simple("localhost", int(sys.argv[1]), app, threaded=True)
