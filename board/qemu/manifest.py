# What is frozen into the bare board's image: asyncio and the libraries, without optimisation.
# ruff: noqa: F821 - a manifest's functions are given to it
include("../libraries.py", opt=0)
