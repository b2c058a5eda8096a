"""A cohort's declared facts, and the parameter sets that were fitted to them."""
