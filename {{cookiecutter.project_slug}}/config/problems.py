"""How submissions are judged."""
