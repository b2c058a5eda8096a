"""What is reported of patients: survival, waits, episodes, their uncertainty."""
