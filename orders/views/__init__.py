"""The public pages of quotes. One module per topic."""
