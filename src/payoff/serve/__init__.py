"""Answer: the decision as a small web service."""
