"""The evidence of other cohorts on patients who are treated only under a policy."""
