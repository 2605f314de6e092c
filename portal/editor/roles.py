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
    "oidc_sign_out": Role.ANYONE,
    "oidc_signed_out": Role.ANYONE,
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
    # figures, logged questions, health of articles
    "overview": Role.READER,
    "overview_json": Role.READER,
    "overview_csv": Role.READER,
    "overview_groups_csv": Role.READER,
    "overview_questions_csv": Role.READER,
    "questions": Role.READER,
    "questions_json": Role.READER,
    "questions_csv": Role.READER,
    "question": Role.READER,
    "question_json": Role.READER,
    "articles": Role.READER,
    "articles_json": Role.READER,
    "articles_csv": Role.READER,
    # working a gap: files, proof, publishing
    "gap_draft": Role.EDITOR,
    "gap_add_questions": Role.EDITOR,
    "gap_synonym": Role.EDITOR,
    "gap_undo": Role.EDITOR,
    "gap_prove": Role.EDITOR,
    "gap_proof_json": Role.READER,
    "gap_proof_csv": Role.READER,
    "draft": Role.EDITOR,
    "draft_save": Role.EDITOR,
    "draft_check": Role.EDITOR,
    "draft_delete": Role.EDITOR,
    "draft_delete_page": Role.EDITOR,
    "draft_publish": Role.EDITOR,
    "draft_publish_page": Role.EDITOR,
    "run": Role.READER,
    "run_json": Role.READER,
    "proof_report": Role.READER,
    "proof_report_json": Role.READER,
    "proof_report_csv": Role.READER,
    # the queue of gaps, and what is done about one
    "gaps": Role.READER,
    "gaps_json": Role.READER,
    "gaps_csv": Role.READER,
    "gaps_progress": Role.READER,
    "gaps_refresh": Role.EDITOR,
    "gap": Role.READER,
    "gap_json": Role.READER,
    "gap_asked": Role.READER,
    "gap_asked_csv": Role.READER,
    "gap_asked_json": Role.READER,
    "gap_assign": Role.EDITOR,
    "gap_note": Role.EDITOR,
    "gap_ignore": Role.EDITOR,
    "gap_reopen": Role.EDITOR,
    "gap_kind": Role.EDITOR,
    "gap_merge": Role.EDITOR,
    "gap_unmerge": Role.EDITOR,
    "gap_split": Role.EDITOR,
    "gap_move": Role.EDITOR,
    # what came of forms
    "forms": Role.READER,
    "forms_json": Role.READER,
    "forms_csv": Role.READER,
    "forms_trend_csv": Role.READER,
}
"""The least role of every endpoint, by its name without `editor.`."""
