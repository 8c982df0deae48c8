"""The methods, one file a family; `analysis.METHODS` collects them."""
