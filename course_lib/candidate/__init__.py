"""What runs on the untrusted side: the warm process, its forks, and a student's code in them.

Everything here is visible to student code and decides nothing. The other side, ``course_lib.grader``, believes nothing
that comes from here but exactly typed, plain data (:mod:`course_lib.candidate.wire`).
"""
