"""Where people begin: new plug-ins as small packages and a first sweep file, written from templates that are data
files; and the packages that carry models and a collection."""
