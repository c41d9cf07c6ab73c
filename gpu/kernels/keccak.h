/* Keccak-256 as Ethereum has it: padding byte 0x01. */
#ifndef IFX_KECCAK_H
#define IFX_KECCAK_H

#include "types.h"

IFX_TABLE u64 KECCAK_ROUND[24] = {
    0x0000000000000001ull, 0x0000000000008082ull, 0x800000000000808aull, 0x8000000080008000ull,
    0x000000000000808bull, 0x0000000080000001ull, 0x8000000080008081ull, 0x8000000000008009ull,
    0x000000000000008aull, 0x0000000000000088ull, 0x0000000080008009ull, 0x000000008000000aull,
    0x000000008000808bull, 0x800000000000008bull, 0x8000000000008089ull, 0x8000000000008003ull,
    0x8000000000008002ull, 0x8000000000000080ull, 0x000000000000800aull, 0x800000008000000aull,
    0x8000000080008081ull, 0x8000000000008080ull, 0x0000000080000001ull, 0x8000000080008008ull,
};

#define KECCAK_RATE_WORDS 17
#define KECCAK_ROTL(x, n) (((x) << (n)) | ((x) >> (64 - (n))))

/* The rounds are written out by lane, so that the state lives in registers. */
IFX_COLD void keccak_f(u64 *IFX_RESTRICT s) {
    u64 a00 = s[0], a01 = s[1], a02 = s[2], a03 = s[3], a04 = s[4];
    u64 a05 = s[5], a06 = s[6], a07 = s[7], a08 = s[8], a09 = s[9];
    u64 a10 = s[10], a11 = s[11], a12 = s[12], a13 = s[13], a14 = s[14];
    u64 a15 = s[15], a16 = s[16], a17 = s[17], a18 = s[18], a19 = s[19];
    u64 a20 = s[20], a21 = s[21], a22 = s[22], a23 = s[23], a24 = s[24];
    for (u32 round = 0; round < 24; round++) {
        u64 c0 = a00 ^ a05 ^ a10 ^ a15 ^ a20;
        u64 c1 = a01 ^ a06 ^ a11 ^ a16 ^ a21;
        u64 c2 = a02 ^ a07 ^ a12 ^ a17 ^ a22;
        u64 c3 = a03 ^ a08 ^ a13 ^ a18 ^ a23;
        u64 c4 = a04 ^ a09 ^ a14 ^ a19 ^ a24;
        u64 d0 = c4 ^ KECCAK_ROTL(c1, 1);
        u64 d1 = c0 ^ KECCAK_ROTL(c2, 1);
        u64 d2 = c1 ^ KECCAK_ROTL(c3, 1);
        u64 d3 = c2 ^ KECCAK_ROTL(c4, 1);
        u64 d4 = c3 ^ KECCAK_ROTL(c0, 1);
        u64 b00 = a00 ^ d0;
        u64 b10 = KECCAK_ROTL(a01 ^ d1, 1);
        u64 b20 = KECCAK_ROTL(a02 ^ d2, 62);
        u64 b05 = KECCAK_ROTL(a03 ^ d3, 28);
        u64 b15 = KECCAK_ROTL(a04 ^ d4, 27);
        u64 b16 = KECCAK_ROTL(a05 ^ d0, 36);
        u64 b01 = KECCAK_ROTL(a06 ^ d1, 44);
        u64 b11 = KECCAK_ROTL(a07 ^ d2, 6);
        u64 b21 = KECCAK_ROTL(a08 ^ d3, 55);
        u64 b06 = KECCAK_ROTL(a09 ^ d4, 20);
        u64 b07 = KECCAK_ROTL(a10 ^ d0, 3);
        u64 b17 = KECCAK_ROTL(a11 ^ d1, 10);
        u64 b02 = KECCAK_ROTL(a12 ^ d2, 43);
        u64 b12 = KECCAK_ROTL(a13 ^ d3, 25);
        u64 b22 = KECCAK_ROTL(a14 ^ d4, 39);
        u64 b23 = KECCAK_ROTL(a15 ^ d0, 41);
        u64 b08 = KECCAK_ROTL(a16 ^ d1, 45);
        u64 b18 = KECCAK_ROTL(a17 ^ d2, 15);
        u64 b03 = KECCAK_ROTL(a18 ^ d3, 21);
        u64 b13 = KECCAK_ROTL(a19 ^ d4, 8);
        u64 b14 = KECCAK_ROTL(a20 ^ d0, 18);
        u64 b24 = KECCAK_ROTL(a21 ^ d1, 2);
        u64 b09 = KECCAK_ROTL(a22 ^ d2, 61);
        u64 b19 = KECCAK_ROTL(a23 ^ d3, 56);
        u64 b04 = KECCAK_ROTL(a24 ^ d4, 14);
        a00 = b00 ^ (~b01 & b02) ^ KECCAK_ROUND[round];
        a01 = b01 ^ (~b02 & b03);
        a02 = b02 ^ (~b03 & b04);
        a03 = b03 ^ (~b04 & b00);
        a04 = b04 ^ (~b00 & b01);
        a05 = b05 ^ (~b06 & b07);
        a06 = b06 ^ (~b07 & b08);
        a07 = b07 ^ (~b08 & b09);
        a08 = b08 ^ (~b09 & b05);
        a09 = b09 ^ (~b05 & b06);
        a10 = b10 ^ (~b11 & b12);
        a11 = b11 ^ (~b12 & b13);
        a12 = b12 ^ (~b13 & b14);
        a13 = b13 ^ (~b14 & b10);
        a14 = b14 ^ (~b10 & b11);
        a15 = b15 ^ (~b16 & b17);
        a16 = b16 ^ (~b17 & b18);
        a17 = b17 ^ (~b18 & b19);
        a18 = b18 ^ (~b19 & b15);
        a19 = b19 ^ (~b15 & b16);
        a20 = b20 ^ (~b21 & b22);
        a21 = b21 ^ (~b22 & b23);
        a22 = b22 ^ (~b23 & b24);
        a23 = b23 ^ (~b24 & b20);
        a24 = b24 ^ (~b20 & b21);
    }
    s[0] = a00, s[1] = a01, s[2] = a02, s[3] = a03, s[4] = a04;
    s[5] = a05, s[6] = a06, s[7] = a07, s[8] = a08, s[9] = a09;
    s[10] = a10, s[11] = a11, s[12] = a12, s[13] = a13, s[14] = a14;
    s[15] = a15, s[16] = a16, s[17] = a17, s[18] = a18, s[19] = a19;
    s[20] = a20, s[21] = a21, s[22] = a22, s[23] = a23, s[24] = a24;
}

IFX_FN u64 keccak_load(const u8 *p) {
    u64 word = 0;
    for (u32 i = 0; i < 8; i++) {
        word |= (u64)p[i] << (8 * i);
    }
    return word;
}

IFX_FN void keccak_store(u8 *p, u64 word) {
    for (u32 i = 0; i < 8; i++) {
        p[i] = (u8)(word >> (8 * i));
    }
}

IFX_FN void keccak_digest(const u64 *state, u8 *digest) {
    for (u32 i = 0; i < 4; i++) {
        keccak_store(digest + 8 * i, state[i]);
    }
}

/* `digest` may not overlap `bytes`. */
IFX_FN void keccak_256(const u8 *bytes, u64 len, u8 *digest) {
    u64 state[25] = {0};
    while (len >= 8 * KECCAK_RATE_WORDS) {
        for (u32 i = 0; i < KECCAK_RATE_WORDS; i++) {
            state[i] ^= keccak_load(bytes + 8 * i);
        }
        keccak_f(state);
        bytes += 8 * KECCAK_RATE_WORDS;
        len -= 8 * KECCAK_RATE_WORDS;
    }
    u8 tail[8 * KECCAK_RATE_WORDS] = {0};
    for (u64 i = 0; i < len; i++) {
        tail[i] = bytes[i];
    }
    tail[len] = 0x01;
    tail[8 * KECCAK_RATE_WORDS - 1] |= 0x80;
    for (u32 i = 0; i < KECCAK_RATE_WORDS; i++) {
        state[i] ^= keccak_load(tail + 8 * i);
    }
    keccak_f(state);
    keccak_digest(state, digest);
}

/* The 64 bytes of two children. `digest` may be `children`. */
IFX_FN void keccak_pair(const u8 *children, u8 *digest) {
    u64 state[25] = {0};
    for (u32 i = 0; i < 8; i++) {
        state[i] = keccak_load(children + 8 * i);
    }
    state[8] = 0x01;
    state[16] = 0x8000000000000000ull;
    keccak_f(state);
    keccak_digest(state, digest);
}

#endif
