"""Who is asking, may they, and have they room: everything that is decided before a target is chosen."""
