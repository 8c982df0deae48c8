"""The models over time: what a dataset says of them."""
