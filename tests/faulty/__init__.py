"""An app that test_tracing.py adds to a project, in which everything fails."""
