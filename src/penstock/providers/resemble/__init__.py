"""Resemble."""
