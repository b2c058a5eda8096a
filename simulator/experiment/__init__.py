"""A run of scenarios: engine, parameter sets, summaries, manifest."""
