"""The test suite; a package only so that tests can share helpers."""
