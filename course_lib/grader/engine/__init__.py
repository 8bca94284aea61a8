"""The trusted side of execution: the sandbox, the processes in it, and the examiner who asks and judges."""
