"""A cohort's reported figures, and the parameter sets that were fitted to them."""
