"""Texts of participants as their edits make them: what is shown again, and edits that come late."""
