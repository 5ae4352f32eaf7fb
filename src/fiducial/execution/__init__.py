"""Running pipelines: the graph, the workers, and the look afterwards that everything expected exists."""
