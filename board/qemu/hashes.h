// What of mbedTLS the bare board has: EMV's two hashes, and nothing that asks for time or entropy.
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA256_C
