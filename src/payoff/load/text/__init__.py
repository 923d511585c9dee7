"""Documents in: cleaned, personal data replaced, near copies found (standard library first)."""
