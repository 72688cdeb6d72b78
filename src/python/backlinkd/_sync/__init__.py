"""The client without async. tools/unasync.py writes this folder from ../_async."""
