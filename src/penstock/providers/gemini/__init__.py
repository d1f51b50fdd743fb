"""Google's Gemini API and Vertex AI as a vendor."""
