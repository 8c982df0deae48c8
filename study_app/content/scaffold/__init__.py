"""`study new`: a study that passes `study check` at once, to be changed step by step into one's own."""
