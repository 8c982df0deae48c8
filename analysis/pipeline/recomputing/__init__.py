"""What someone needs to compute the primary results again without this package."""

from analysis.pipeline.recomputing.collecting import recomputed
from analysis.pipeline.recomputing.material import RecomputedModel, ReplicationMaterial

__all__ = ["RecomputedModel", "ReplicationMaterial", "recomputed"]
