"""Articles written from the pages for editors: the files stay the truth."""
