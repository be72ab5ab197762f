"""What holds on every server, channel layer and authentication; the points C1 to C16, one test each.

A package, so that a variant is booted once for all of these files: see conftest.py.
"""
