"""Whole pages built from the views and controls."""
