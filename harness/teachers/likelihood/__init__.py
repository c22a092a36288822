"""Teachers that read likelihoods."""
