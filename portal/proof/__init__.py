"""What an article would change, asked of an index nobody has published yet."""
