"""Quality over budget: fits, areas, labels needed, crossings."""
