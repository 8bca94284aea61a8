from hypothesis import settings

# No deadline: on a busy machine one slow example says nothing of the code.
settings.register_profile("checks", deadline=None, max_examples=50)
settings.load_profile("checks")
