"""Migrations in order; a file that has been released is never changed."""
