"""Reading and writing files: CSV, TOML, text, locks."""
