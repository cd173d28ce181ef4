"""How far, how many, where best: arrays, sparse matrices and geometries, with no notion of elders, files or colours."""
