"""Programming tasks: packs, checks and what running a program yields."""
