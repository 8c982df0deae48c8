"""An assistant that acts: its steps are on record before anybody sees them, and each is decided once."""
