"""One file per thing a merchant does; each reads as a story."""
