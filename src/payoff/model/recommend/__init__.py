"""Recommenders: what each user did so far, to a score for every item of the catalogue."""
