"""The journal: what a gateway wrote about its requests, in segments of checksummed records."""
