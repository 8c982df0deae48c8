"""Which judgements came after the unsealing: the dataset counts them, and who checks it recounts them."""

from __future__ import annotations

from datetime import datetime

from study_app.domain.interaction.codes import people
from study_app.domain.themes.marks import CODEBOOK_OBJECT


def is_late(judged: str, rater: str, rated_at: datetime, unsealed: datetime | None) -> bool:
    """Return whether a person judged after the unsealing: whatever was hidden from them then, they could know the arms.

    A codebook that is frozen is kept as a rating, too, and judges no one.
    """
    late = unsealed is not None and rated_at > unsealed
    return late and not judged.startswith(CODEBOOK_OBJECT) and bool(people([rater]))
