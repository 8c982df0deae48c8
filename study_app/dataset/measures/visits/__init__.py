"""Visits grouped as the study groups its stages: sessions on several days, periods of a sequence of treatments."""
