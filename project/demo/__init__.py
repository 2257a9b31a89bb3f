"""The first ten minutes: publish the examples, run the package audit in front of the user."""
