"""The digest: what the gap report and the figures say of a week, to be read in a minute."""
