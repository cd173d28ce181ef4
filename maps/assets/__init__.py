"""Scripts and styles of our own that are inlined into the interactive map."""
