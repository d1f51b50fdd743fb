"""Google's generateContent, as a dialect of clients and as a vendor's API."""
