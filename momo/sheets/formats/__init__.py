"""What each file format needs beside calamine: bounds before reading, and cells that calamine gives as empty."""
