"""A results folder as one document to hand on: a page for the browser, LaTeX for a paper, Markdown for a repository."""
