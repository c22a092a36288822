"""Training lists, and the stages that make them without a model."""
