"""How people log in to the control plane: passwords, sessions, identity providers."""
