"""Where a board meets the terminal, or the safe mode if the terminal does not come up."""

import gc

import board

# While modules are loaded, garbage is collected before it can scatter what stays over the heap.
gc.threshold(4096)

starts = board.starts()
if starts.too_many:
    from firmware.flows import safe

    safe.run(board.Board(), safe.LOOP, starts.unfinished)
else:
    try:
        devices = board.open()
    except board.StorageFault as error:
        from firmware.flows import safe

        safe.run(board.Board(), safe.STORAGE, str(error))
    else:
        from firmware import app

        gc.threshold(-1)
        app.run(devices)
