"""What an author does with a draft that is being written."""
