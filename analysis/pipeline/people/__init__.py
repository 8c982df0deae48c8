"""Who took part: the flow of participants, and who saw their arm."""
