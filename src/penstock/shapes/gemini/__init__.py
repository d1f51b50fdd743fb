"""Google's generateContent JSON, as both sides read and write it.

The reference: https://ai.google.dev/api/generate-content, and for Vertex AI
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference. Extras of this shape may hold
*notes*: members whose name begins with `~`, which say how something was written where the pivot cannot.
"""

from __future__ import annotations

SHAPE = "gemini"
"""Also the name under which Google's thought signatures are known."""
