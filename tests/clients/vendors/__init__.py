"""Scripted upstreams in the words of each vendor, for clients that must not notice which one answers."""
