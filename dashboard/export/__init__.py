"""The dashboard as files: a site that opens from a folder, without a server and without a network."""
