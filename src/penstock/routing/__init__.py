"""From a model name to a policy, and from a policy to the next step."""
