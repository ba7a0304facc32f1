"""Runs one file of tests inside MicroPython and reports test by test.

Started as `micropython runner.py FILE NAME…`, or, on a board without files, sent to it with a
call of `main` behind. Each test's outcome is one line on standard output, led by a mark that no
test prints: `MARK begin NAME`, `MARK passed NAME`, or `MARK failed NAME` followed by the traceback
up to `MARK end NAME`.
"""

import io
import sys

MARK = "\x1eunit"


def load(path, text):
    """Execute the file's text as a module of its own and return its names."""
    names = {"__name__": "test", "__file__": path}
    exec(compile(text, path, "exec"), names)
    return names


def call(test):
    """Run one plain or async test; the latter on a fresh loop."""
    outcome = test()
    if hasattr(outcome, "send"):
        import asyncio

        asyncio.new_event_loop()
        asyncio.run(outcome)


def main(path, text, wanted):
    """Run the wanted tests of the file in order; the outcomes go to standard output."""
    names = load(path, text)
    for name in wanted:
        print(MARK, "begin", name)
        try:
            call(names[name])
        except BaseException as error:  # noqa: BLE001 - a test may raise anything; it is reported
            trace = io.StringIO()
            sys.print_exception(error, trace)
            print(MARK, "failed", name)
            print(trace.getvalue())
            print(MARK, "end", name)
        else:
            print(MARK, "passed", name)


def read(path):
    """The text of a file."""
    with open(path) as source:
        return source.read()


if len(sys.argv) > 1:
    main(sys.argv[1], read(sys.argv[1]), sys.argv[2:])
