"""Google's generateContent as a client-facing API."""
