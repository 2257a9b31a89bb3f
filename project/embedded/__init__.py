"""Real servers from wheels, in a private directory: PostgreSQL and Valkey.

They are what `make up` and the tests run on when no external servers are given. Both persist
durably, listen on 127.0.0.1 alone, and demand a random password.
"""
