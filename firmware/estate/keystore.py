"""Keys at rest: sealed by pinmac under the device's own key, one file a slot in /keys.

Public face: unseal_all(folder='/keys') -> None at boot; raises KeyFileCorrupt or NotProvisioned.
"""
