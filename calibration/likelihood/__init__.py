"""How likely the reported figures are at given parameter values."""
