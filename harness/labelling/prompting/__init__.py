"""How a task becomes prompts and replies become a ranking: settings, templates, the prompter, aggregation."""
