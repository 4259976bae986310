"""Measurements. `make bench` and `make soak` run them; the README says what came out."""
