"""What a user may ask of the assistant."""
