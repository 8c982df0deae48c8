"""The only place that chooses an implementation: from settings to a running study and its services."""

from study_app.bootstrap.app import App, Author, current, install
from study_app.bootstrap.contents import library_versions, open_library
from study_app.bootstrap.following import follow_amendments, follow_files, reload
from study_app.bootstrap.start_checks import keep_draft
from study_app.bootstrap.starting import fresh_id, start
from study_app.prolific import prolific_of as panel_of

__all__ = [
    "App", "Author", "current", "follow_amendments", "follow_files", "fresh_id", "install", "keep_draft",
    "library_versions", "open_library", "panel_of", "reload", "start",
]  # fmt: skip
