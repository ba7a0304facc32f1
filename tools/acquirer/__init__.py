"""The payment host: the other end of the acquirer link, independent of the firmware's code."""
