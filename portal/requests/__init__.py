"""Our own refund request: a guided form, what the articles say to it, and its hand-over."""
