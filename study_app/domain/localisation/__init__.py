"""What participants meet in other languages: the study's own texts, content, verdicts and figures."""
