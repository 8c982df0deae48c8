"""The exported dataset: its columns, how it is written, read, redacted and verified. Knows no database."""
