"""All patients of a state at once, and beds by one time-ordered queue."""
