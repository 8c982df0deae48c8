"""Measurement: how well raters and items measure."""
