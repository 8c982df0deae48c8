"""What participants made of tasks that could not be done, and of the way out of every task."""
