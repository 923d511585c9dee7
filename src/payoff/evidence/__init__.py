"""Judge: what a policy is worth, how sure, for whom. One core for every kind of model."""
