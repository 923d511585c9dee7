"""Text classifiers: documents and ordinary columns together, to probabilities of outcomes."""
