"""One file a page; each is run by `dashboard.app` when it is opened."""
