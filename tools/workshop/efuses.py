"""What a chip's eFuses say of it: revision, protections, what its key blocks are for.

esptool reads the registers; espefuse would say the same of them (the tests compare), but takes
longer to start than a whole device does to flash. Nothing is ever burnt here.
"""

from typing import Any

from esptool.loader import ESPLoader

KEY_BLOCKS = 6
# ESP32-S3 technical reference manual, "eFuse Controller", table "Secure Key Purpose Values".
PURPOSES = {
    0: "USER", 1: "RESERVED", 2: "XTS_AES_256_KEY_1", 3: "XTS_AES_256_KEY_2",
    4: "XTS_AES_128_KEY", 5: "HMAC_DOWN_ALL", 6: "HMAC_DOWN_JTAG",
    7: "HMAC_DOWN_DIGITAL_SIGNATURE", 8: "HMAC_UP", 9: "SECURE_BOOT_DIGEST0",
    10: "SECURE_BOOT_DIGEST1", 11: "SECURE_BOOT_DIGEST2",
}  # fmt: skip


def summary(esp: ESPLoader) -> dict[str, Any]:
    """Of a chip in its loader. The errors are esptool's.

    chip: name, package and revision. features: what is in the package. flash_encryption,
    secure_boot: whether they are on. key_purposes: of the key blocks 0 to 5, espefuse's names.
    """
    purposes = (esp.get_key_block_purpose(block) for block in range(KEY_BLOCKS))
    return {
        "chip": esp.get_chip_description(),
        "features": esp.get_chip_features(),
        "flash_encryption": bool(esp.get_flash_encryption_enabled()),
        "secure_boot": bool(esp.get_secure_boot_enabled()),
        "key_purposes": [PURPOSES.get(purpose, str(purpose)) for purpose in purposes],
    }
