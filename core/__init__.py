"""The words that everyone speaks: rows, recipes, errors, fingerprints, ledger, stages."""
