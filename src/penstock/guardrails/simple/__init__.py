"""Detectors that are rules: patterns, words, lengths, languages, addresses."""
