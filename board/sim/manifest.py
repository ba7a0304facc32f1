# What is frozen into the sim board's interpreter. Optimisation level 0 keeps line numbers and asserts.
include("$(MPY_DIR)/extmod/asyncio")
