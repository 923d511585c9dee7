"""Lists of items as decisions: how one is made for a user, and what users did after it."""
