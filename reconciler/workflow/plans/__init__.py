"""The verb `plan`, and the plan as it is handed on, saved and read back."""
