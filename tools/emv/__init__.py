"""EMV on the workstation: what bytes mean in words, and recorded conversations played again.

The data elements' names and formats are those of `lib/emv/elements.py`, read from there. What may
be shown of a card follows `tools.sim.chips.masking`: a PAN's first six and last four digits, no
track, no PIN.
"""
