"""Scores out: models of several kinds behind one shape."""
