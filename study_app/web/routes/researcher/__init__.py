"""Routes of the console: signing in, its files, and the app that serves them."""
