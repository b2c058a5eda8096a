"""The figures that a paper reports, read from a cohort's folder and checked."""
