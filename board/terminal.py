# What a terminal's board freezes: the libraries, the terminal, what the Espressif boards share,
# and the board's own `board.py`. A manifest, included with opt= (0 keeps line numbers and asserts)
# and board=.
# ruff: noqa: F821 - a manifest's functions are given to it
import os

options.defaults(opt=2, board="esp32s3")

REPO = os.path.abspath("..")

include("libraries.py", opt=options.opt)
module("espressif.py", base_path=os.path.join(REPO, "board"), opt=options.opt)
module("board.py", base_path=os.path.join(REPO, "board", options.board), opt=options.opt)
module("bench.py", base_path=os.path.join(REPO, "board"), opt=options.opt)
for name in ("boot.py", "main.py"):
    module(name, base_path=REPO, opt=options.opt)
package("firmware", base_path=REPO, opt=options.opt)
