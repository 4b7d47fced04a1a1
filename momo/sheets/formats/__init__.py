"""For each file format, work that calamine does not do: bounds before reading, and cells that it returns as empty."""
