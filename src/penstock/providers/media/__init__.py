"""What the APIs of media vendors have in common."""
