"""Document to Plan: everything a request needs, worked out once."""
