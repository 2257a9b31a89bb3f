"""Settings for real workers in tests: faults are made by wrapping a seam, never in product code."""

#: Quick ones: a good hash takes half a second on purpose, and nobody attacks a test.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
