"""Training: networks, regularization, optimizers, the epoch, recording and measures."""
