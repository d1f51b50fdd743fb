"""What decides whether a kept answer answers another question: pure, without a model of its own."""
