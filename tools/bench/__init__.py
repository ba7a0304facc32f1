"""`make bench`: what each call of pinmac costs, beside other people's and against the aims.

`calls.py` is the table of what is measured, `counts.py` counts instructions on both processors,
`foreign.py` and `pure_pin_block.py` do the same work otherwise, `aims.py` judges; code, RAM and
stack come from `tools/check`. Instructions are counted, not timed, so two runs give the same
figures, save some tens of instructions where fresh randomness is written in hexadecimal;
`seconds.py` has the only times, as ratios.
"""
