"""Control: turns configuration into published snapshots."""
