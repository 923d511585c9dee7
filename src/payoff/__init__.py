"""payoff: from a model's scores to the decision it should drive, and what that decision is worth."""
