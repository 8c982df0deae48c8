"""Writing a dataset: tables, documents and the manifest."""
