"""A sample class: invented students, what they hand in, and the whole way from there to the report."""
