"""The engines: each interprets one Model, and none imports another."""
