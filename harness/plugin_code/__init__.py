"""Code of plug-ins in a process of ours: what it is kept from, and words for what it raises."""
