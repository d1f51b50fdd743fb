"""The ordered stages of a request: decode, admit, route, attempt, settle."""
