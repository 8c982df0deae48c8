"""The only place that speaks SQL."""

from study_app.storage.database import open_registry

__all__ = ["open_registry"]
