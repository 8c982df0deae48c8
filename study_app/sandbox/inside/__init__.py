"""What runs inside the child beside the participant's program."""
