"""The cases, one file each: to add one, add a file with a `Case`."""
