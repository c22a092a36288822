"""Which pages there are."""

from __future__ import annotations

PAGES = {
    "leaderboard": ("Leaderboard", ":material/leaderboard:"),
    "collections": ("All collections", ":material/grid_view:"),
    "curves": ("Budget curves", ":material/show_chart:"),
    "compare": ("Compare", ":material/compare_arrows:"),
    "cost": ("Cost", ":material/payments:"),
    "teachers": ("Teachers", ":material/school:"),
    "claims": ("Claims", ":material/rule:"),
    "methods": ("Methods", ":material/menu_book:"),
    "run": ("Run", ":material/description:"),
    "query": ("Query", ":material/search:"),
    "sweep": ("Sweep", ":material/sync:"),
}
"""File under views, with its title and icon."""

OF_RESULTS = tuple(name for name in PAGES if name not in ("sweep", "claims"))
"""Pages that show a table of published runs; the others follow a workspace, or judge what was claimed beforehand."""

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#0072B2" d="M2 11h6v11H2zM9 '
    '3h6v19H9zM16 14h6v8h-6z"/></svg>'
)
"""The picture of the browser's tab."""
