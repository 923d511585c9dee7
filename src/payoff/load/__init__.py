"""Rows in: sources, roles, the data contract and the three parts."""
