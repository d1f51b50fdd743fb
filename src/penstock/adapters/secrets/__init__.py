"""Where secrets are protected: sealing with a master key."""
