"""The payment host: the other end of the acquirer link, independent of the firmware's code."""

import warnings

from cryptography.utils import CryptographyDeprecationWarning

# Two-key TDES is what this protocol is made of; the warning would come with every message.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=r"psec|pyemv")
