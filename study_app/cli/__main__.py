"""`python -m study_app.cli`."""

from study_app.cli import main

main()
