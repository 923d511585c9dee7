"""Interactions of users with items: read, cleaned, coded, split and looked at."""
