/* Eight floats at once, for boxes and triangles.
 *
 * Each lane is a float like any other: the three builds differ in speed only. IFX_SCALAR asks for the build
 * without vectors, as CUDA and RV32IM have it. */
#ifndef IFX_LANES_H
#define IFX_LANES_H

#include "float.h"

#if defined(IFX_SCALAR) || !defined(__SSE2__)
#define IFX_LANES_SCALAR 1
#elif defined(__AVX__)

typedef float Lanes __attribute__((vector_size(32)));
typedef int LaneBits __attribute__((vector_size(32)));

IFX_FN Lanes lanes_load(const float *p) { return *(const Lanes *)p; }
IFX_FN Lanes lanes_of(float x) { return (Lanes){x, x, x, x, x, x, x, x}; }
IFX_FN Lanes lanes_add(Lanes a, Lanes b) { return a + b; }
IFX_FN Lanes lanes_sub(Lanes a, Lanes b) { return a - b; }
IFX_FN Lanes lanes_mul(Lanes a, Lanes b) { return a * b; }
IFX_FN Lanes lanes_min(Lanes a, Lanes b) { return __builtin_ia32_minps256(a, b); }
IFX_FN Lanes lanes_max(Lanes a, Lanes b) { return __builtin_ia32_maxps256(a, b); }
IFX_FN Lanes lanes_sign(Lanes a) {
    LaneBits sign = (LaneBits)a & (LaneBits)lanes_of(-0.0f);
    return (Lanes)sign;
}
IFX_FN Lanes lanes_xor(Lanes a, Lanes b) { return (Lanes)((LaneBits)a ^ (LaneBits)b); }
IFX_FN u32 lanes_le(Lanes a, Lanes b) { return (u32)__builtin_ia32_movmskps256((Lanes)(a <= b)); }
IFX_FN u32 lanes_inside(Lanes u, Lanes v, Lanes det) {
    Lanes zero = lanes_of(0.0f);
    LaneBits in = (u >= zero) & (v >= zero) & (u + v <= det) & (det > zero);
    return (u32)__builtin_ia32_movmskps256((Lanes)in);
}
IFX_FN void lanes_store(float *p, Lanes a) { *(Lanes *)p = a; }

#else

typedef float Half __attribute__((vector_size(16)));
typedef int HalfBits __attribute__((vector_size(16)));
typedef struct {
    Half a, b;
} Lanes;

IFX_FN Lanes lanes_pair(Half a, Half b) {
    Lanes pair = {a, b};
    return pair;
}
IFX_FN Lanes lanes_load(const float *p) {
    return lanes_pair(*(const Half *)p, *(const Half *)(p + 4));
}
IFX_FN Lanes lanes_of(float x) {
    Half half = {x, x, x, x};
    return lanes_pair(half, half);
}
IFX_FN Lanes lanes_add(Lanes x, Lanes y) { return lanes_pair(x.a + y.a, x.b + y.b); }
IFX_FN Lanes lanes_sub(Lanes x, Lanes y) { return lanes_pair(x.a - y.a, x.b - y.b); }
IFX_FN Lanes lanes_mul(Lanes x, Lanes y) { return lanes_pair(x.a * y.a, x.b * y.b); }
IFX_FN Lanes lanes_min(Lanes x, Lanes y) {
    return lanes_pair(__builtin_ia32_minps(x.a, y.a), __builtin_ia32_minps(x.b, y.b));
}
IFX_FN Lanes lanes_max(Lanes x, Lanes y) {
    return lanes_pair(__builtin_ia32_maxps(x.a, y.a), __builtin_ia32_maxps(x.b, y.b));
}
IFX_FN Half half_sign(Half x) {
    Half minus = {-0.0f, -0.0f, -0.0f, -0.0f};
    return (Half)((HalfBits)x & (HalfBits)minus);
}
IFX_FN Half half_xor(Half x, Half y) { return (Half)((HalfBits)x ^ (HalfBits)y); }
IFX_FN Lanes lanes_sign(Lanes x) { return lanes_pair(half_sign(x.a), half_sign(x.b)); }
IFX_FN Lanes lanes_xor(Lanes x, Lanes y) { return lanes_pair(half_xor(x.a, y.a), half_xor(x.b, y.b)); }
IFX_FN u32 half_mask(HalfBits bits) { return (u32)__builtin_ia32_movmskps((Half)bits); }
IFX_FN u32 lanes_le(Lanes x, Lanes y) {
    return half_mask(x.a <= y.a) | half_mask(x.b <= y.b) << 4;
}
IFX_FN HalfBits half_inside(Half u, Half v, Half det) {
    Half zero = {0.0f, 0.0f, 0.0f, 0.0f};
    return (u >= zero) & (v >= zero) & (u + v <= det) & (det > zero);
}
IFX_FN u32 lanes_inside(Lanes u, Lanes v, Lanes det) {
    return half_mask(half_inside(u.a, v.a, det.a)) | half_mask(half_inside(u.b, v.b, det.b)) << 4;
}
IFX_FN void lanes_store(float *p, Lanes x) {
    *(Half *)p = x.a;
    *(Half *)(p + 4) = x.b;
}

#endif
#endif
