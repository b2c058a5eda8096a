"""Files as they are read and written: CSV, TOML, text, locks."""
