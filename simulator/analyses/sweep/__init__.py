"""One or two keys of a scenario varied over a grid."""
