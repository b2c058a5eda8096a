"""What other cohorts say about patients who are treated only under a policy."""
