"""Self-test, faults and the operators who may use the terminal."""
