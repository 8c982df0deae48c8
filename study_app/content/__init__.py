"""Opening the study's content: study file, task packs, item banks, texts."""
