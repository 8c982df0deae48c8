"""Who and what reaches the two apps: the lists of addresses, the two gates, connections, and how often each may ask."""
