"""Choose: from probabilities and money to one action per unit."""
