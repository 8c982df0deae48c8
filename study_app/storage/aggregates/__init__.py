"""What is stored together, within one transaction: rows and their chain, erasing, ledgers and judgements."""
