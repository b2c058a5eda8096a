"""A page with sliders: path curves of a scenario, mixed by shares as these move, with no engine and no server."""
