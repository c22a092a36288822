"""The leaderboard in the browser. Pages draw what `harness.leaderboard` returns and compute nothing themselves."""
