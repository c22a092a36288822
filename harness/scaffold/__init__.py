"""New plug-ins as small packages, written from templates that are data files."""
