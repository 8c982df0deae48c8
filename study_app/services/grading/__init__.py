"""How one program is graded: what is expected, what the program does, and a verdict that the load cannot bend.

A pack whose time can be virtual is judged by the virtual clock, which the load does not touch. What a program could
write into its own report is then held against real time: the parent stamps each line as it arrives, a heartbeat in the
call's event loop shows blocking, and a control process shows how late the machine itself is.
"""
