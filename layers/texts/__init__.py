"""Every text shown to users, in Chinese and English: TOML files read by ``lifecircle.layers.words``."""
