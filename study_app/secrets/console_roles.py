"""Roles of people for whom an identity provider vouches: `[console.roles]` in Streamlit's secrets, as it stands now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from study_app.secrets.console_accounts import Role


def role_in_secrets(email: str) -> Role | None:
    """Return the role of an address; None where the secrets give it none, or not any more."""
    roles = console_secrets().get("roles", {})
    role = roles.get(email) if isinstance(roles, Mapping) else None
    return role if role in get_args(Role) else None


def is_verified(claim: object) -> bool:
    """Return whether a provider's word on an address counts; some send it as a text.

    Where it says nothing, as some do whose users choose their addresses, only if the secrets allow it.
    """
    if claim is None:
        return console_secrets().get("unstated_addresses") is True
    return str(claim).lower() == "true"


def refusal_of(email: str, claim: object) -> str | None:
    """Return why a person whom a provider vouches for may not come in; None if they may."""
    if role_in_secrets(email) is None:
        return f"{email} has no role here. An administrator can add it under [console.roles] in the secrets."
    if is_verified(claim):
        return None
    if claim is None:
        return (
            f"{email} has a role here, but the identity provider does not say whether the address is verified "
            "(`email_verified`). An administrator can make it say so, or set `unstated_addresses = true` under "
            "[console] in the secrets where people cannot choose their addresses: see docs/how-to/console.md."
        )
    return (
        f"{email} has a role here, but the identity provider says that the address is not verified "
        "(`email_verified`). Have it verified there, then sign in again."
    )


def console_secrets() -> Mapping[str, Any]:
    """Return `[console]` of the secrets; empty without."""
    import streamlit as st
    from streamlit.errors import StreamlitSecretNotFoundError

    try:
        found = st.secrets.get("console", {})
    except StreamlitSecretNotFoundError:
        return {}
    return found if isinstance(found, Mapping) else {}
