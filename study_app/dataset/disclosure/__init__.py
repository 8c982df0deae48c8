"""A dataset for everybody: what is withheld, moved in time and coarsened, and the report on what is left."""
