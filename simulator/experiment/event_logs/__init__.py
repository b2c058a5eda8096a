"""Event logs of simulated patients, in the formats of process mining."""
