"""How lifecircle is started: arguments in, one call, exit code out."""
