"""The Flask portal and the command line around the searcher and the indexer."""
