"""Parts of the board Coding."""
