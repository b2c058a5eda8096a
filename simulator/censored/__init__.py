"""Survival analysis of histories with censoring: Kaplan-Meier, log-rank, and groups that form during follow-up."""
