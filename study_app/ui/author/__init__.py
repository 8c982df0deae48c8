"""What an author sees besides the participants' pages."""
