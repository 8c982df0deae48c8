"""Whole simulated trials of the planned design, analysed as registered: what the trial would find, cost and take."""

from study_app.rehearsal.rehearse import rehearse

__all__ = ["rehearse"]
