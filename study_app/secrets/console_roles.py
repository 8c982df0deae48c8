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
    """Whether a provider's word on an address counts.

    Where it says nothing, as some do whose users choose their addresses, only if the secrets allow it.
    """
    return claim is True or (claim is None and console_secrets().get("unstated_addresses") is True)


def console_secrets() -> Mapping[str, Any]:
    """Return `[console]` of the secrets; empty without."""
    import streamlit as st
    from streamlit.errors import StreamlitSecretNotFoundError

    try:
        found = st.secrets.get("console", {})
    except StreamlitSecretNotFoundError:
        return {}
    return found if isinstance(found, Mapping) else {}
