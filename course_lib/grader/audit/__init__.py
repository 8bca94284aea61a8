"""Tests the tests: what they refuse, what they accept, which case is needed for what, and what slips through."""
