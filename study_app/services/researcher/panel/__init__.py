"""Bringing people of a panel back: who is due for a later session, and reminding them."""
