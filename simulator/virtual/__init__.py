"""Virtual cohorts: as many patients as a hospital sees, followed as long as it follows them, again and again."""
