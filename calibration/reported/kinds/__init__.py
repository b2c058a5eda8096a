"""The kinds of figure that a paper reports, a class each."""
