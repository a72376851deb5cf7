"""The commands: one module a group. They know service, store and core, and decide nothing.

Exit status: 0 done, 1 the thing asked about is wrong, 2 the command's words are off.
"""
