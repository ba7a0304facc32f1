"""Fetches the pinned sources and builds the sim board's interpreter."""
