# What is frozen into the terminal's image; the same files as on the sim board, optimised.
include("$(MPY_DIR)/extmod/asyncio")
package("firmware", base_path="../..", opt=2)
package("drivers", base_path="../../lib", opt=2)
package("iso8583", base_path="../../lib", opt=2)
package("emv", base_path="../../lib", opt=2)
for name in ("aio", "errors", "escpos", "gb18030", "glyphs", "tlv"):
    module(name + ".py", base_path="../../lib", opt=2)
module("board.py", base_path=".", opt=2)
module("boot.py", base_path="../..", opt=2)
module("main.py", base_path="../..", opt=2)
freeze("../../build/gen", opt=2)
