"""Whether a sweep's own teachers can be asked, found out before they are. A folder of its own since it asks."""
