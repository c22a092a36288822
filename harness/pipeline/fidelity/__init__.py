"""Where knowledge is lost between a teacher and a retriever: how far each model follows what taught it, as stages."""
