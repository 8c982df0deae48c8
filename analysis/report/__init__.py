"""The report: one HTML file that holds everything, drawn from results.json, and its tables in other formats."""

from analysis.report.render import Report, render

__all__ = ["Report", "render"]
