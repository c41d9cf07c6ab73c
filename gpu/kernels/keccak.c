/* Entry points for hashing on the host: integers only, so one build serves every CPU. */
#include "keccak.h"

/* Writes the digest of `len` bytes to `digest`, 32 bytes apart from them. */
void ifx_keccak_256(const u8 *bytes, __SIZE_TYPE__ len, u8 *digest) { keccak_256(bytes, len, digest); }

/* Replaces 2 x `pair_count` nodes of 32 bytes by their `pair_count` parents, in place. */
void ifx_keccak_fold(u8 *nodes, __SIZE_TYPE__ pair_count) {
    for (__SIZE_TYPE__ i = 0; i < pair_count; i++) {
        keccak_pair(nodes + 64 * i, nodes + 32 * i);
    }
}
