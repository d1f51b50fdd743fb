"""One module for each step; a step is never edited once it was released."""
