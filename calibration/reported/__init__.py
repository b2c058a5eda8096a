"""What a paper reports of its patients, read from a cohort's folder and checked."""
