"""What the log adds up to: figures by day, language, platform and channel."""
