"""Engines that turn a file, a pattern of files or a query into an Arrow table."""
