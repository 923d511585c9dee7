"""Measures of ranked lists: one pass, one number for each user, the whole catalogue ranked."""
