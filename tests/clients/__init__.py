"""Public Python clients of the API, each against the emulator."""
