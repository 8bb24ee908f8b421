"""Counts words."""


def words(text):
    """The number of words in a text."""
    return len(text.split())
