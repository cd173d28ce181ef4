"""Planning standards as data: one TOML file an edition, each value with its clause and confidence."""
