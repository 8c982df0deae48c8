"""Claude as a coder of interviews."""
