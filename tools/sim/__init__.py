"""The virtual board: chip models, cards, network, clock, page and scenarios."""
