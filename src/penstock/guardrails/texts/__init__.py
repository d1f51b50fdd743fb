"""Where the texts of requests, answers and stream events stand, by API shape."""
