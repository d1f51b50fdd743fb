"""What looks at prompts and answers: detectors of what should not pass, and the engine that acts on them."""
