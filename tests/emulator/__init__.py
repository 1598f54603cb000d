"""The emulator against the vendor's documentation and recordings, never against the client."""
