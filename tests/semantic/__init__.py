"""The semantic cache: what is taken for the same question, where questions are kept, what may be served."""
