"""The leaderboard in the browser. Pages draw what `harness.board` returns and compute nothing themselves."""
