"""The two iterators everything stands on: run a model over a stream, fit a model to a target."""
