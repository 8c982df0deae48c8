"""Programs of participants: which are taken, and submitting one."""
