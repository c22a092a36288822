"""From a sweep file to results: cells, graph, store, executors."""
