"""Bugs made by hand, each with the test that must notice it: a test that cannot fail proves nothing."""
