"""Where a board meets the terminal, or the safe mode if the terminal does not come up."""

import board

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

        app.run(devices)
