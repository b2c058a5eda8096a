"""Work in one or more processes."""
