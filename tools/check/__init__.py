"""What `make check` holds beside ruff and mypy: arrows, pins, generated files, sizes."""
