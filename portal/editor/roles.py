"""Who may use which page for editors: one table, which has to be complete.

A page and what its form does are endpoints of their own, so that each has its own least role.
`tests/test_editor_permissions.py` fails on an endpoint without a line here.
"""

from __future__ import annotations

from portal.accounts.types import Role

__all__ = ["ROLES", "Role"]

ROLES: dict[str, Role] = {
    # signing in; the feed has a secret of its own in its address
    "sign_in": Role.ANYONE,
    "sign_in_post": Role.ANYONE,
    "invitation": Role.ANYONE,
    "invitation_post": Role.ANYONE,
    "oidc_start": Role.ANYONE,
    "oidc_callback": Role.ANYONE,
    "gaps_atom": Role.ANYONE,
    # one's own account
    "home": Role.READER,
    "sign_out": Role.READER,
    "account": Role.READER,
    "account_password": Role.READER,
    "account_session_end": Role.READER,
    "account_sign_out": Role.READER,
    "account_feed": Role.READER,
    # accounts of others, and what everybody did
    "people": Role.ADMIN,
    "people_invite": Role.ADMIN,
    "people_link": Role.ADMIN,
    "people_role": Role.ADMIN,
    "people_disable": Role.ADMIN,
    "people_enable": Role.ADMIN,
    "people_sign_out": Role.ADMIN,
    "audit": Role.ADMIN,
    "audit_csv": Role.ADMIN,
    "audit_json": Role.ADMIN,
    # what came of forms
    "forms": Role.READER,
    "forms_json": Role.READER,
    "forms_csv": Role.READER,
    "forms_trend_csv": Role.READER,
}
"""The least role of every endpoint, by its name without `editor.`."""
