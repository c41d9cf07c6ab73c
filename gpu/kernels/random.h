/* Random numbers by counter: a function of seed, frame, pixel, sample and how many were drawn before.
 *
 * pcg4d of Jarzynski and Olano, Hash Functions for GPU Rendering, JCGT 2020. */
#ifndef IFX_RANDOM_H
#define IFX_RANDOM_H

#include "params.h"

typedef struct {
    u32 key[4];
    u32 block[4];
    u32 drawn;
} Random;

IFX_FN void random_hash(u32 *v) {
    for (u32 i = 0; i < 4; i++) {
        v[i] = v[i] * 1664525u + 1013904223u;
    }
    v[0] += v[1] * v[3], v[1] += v[2] * v[0], v[2] += v[0] * v[1], v[3] += v[1] * v[2];
    for (u32 i = 0; i < 4; i++) {
        v[i] ^= v[i] >> 16;
    }
    v[0] += v[1] * v[3], v[1] += v[2] * v[0], v[2] += v[0] * v[1], v[3] += v[1] * v[2];
}

IFX_FN void random_begin(Random *r, const RenderParams *params, u32 frame, u32 pixel, u32 sample) {
    r->key[0] = params->seed[0];
    r->key[1] = params->seed[1];
    r->key[2] = frame;
    r->key[3] = 0x494e4658u;
    random_hash(r->key);
    r->key[0] ^= pixel;
    r->key[1] ^= sample;
    random_hash(r->key);
    r->drawn = 0;
}

/* 0 <= number < 1, a multiple of 2^-24. */
IFX_FN float random_draw(Random *r) {
    u32 lane = r->drawn & 3;
    if (lane == 0) {
        for (u32 i = 0; i < 4; i++) {
            r->block[i] = r->key[i];
        }
        r->block[3] ^= r->drawn;
        random_hash(r->block);
    }
    r->drawn++;
    return (float)(r->block[lane] >> 8) * 5.9604644775390625e-8f;
}

#endif
