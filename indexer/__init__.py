"""Offline: a folder of Markdown articles in, one published generation out."""
