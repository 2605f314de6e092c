"""Search engines behind one protocol, so that they can be measured side by side."""
