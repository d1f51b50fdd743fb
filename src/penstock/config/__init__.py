"""The configuration: document types, loading and validation, detection, snapshots."""
