/* Floating point that gives the same bits on every target.
 *
 * Allowed in kernels: + - * / and comparisons of C, and what stands here. Round to nearest even,
 * subnormals kept. A fused multiply-add is written f_fma where it is meant; the compiler makes none.
 * A NaN's sign and payload differ between targets, so f_canonical stands before every store of a result
 * and before every look at bits. */
#ifndef IFX_FLOAT_H
#define IFX_FLOAT_H

#include "types.h"

#if defined(__riscv)
/* The dispute VM has no floats: vm/runtime.c computes with their bits. */
u32 ifx_vm_sqrt(u32 a);
u32 ifx_vm_fma(u32 a, u32 b, u32 c);
#endif

#if defined(__FAST_MATH__) || (defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0)
#error "the kernels need floats that are computed as they are written"
#endif

#define F_PI 3.14159265358979f
#define F_1_PI 0.318309886183791f
#define F_MAX 3.4028234663852886e38f

IFX_FN u32 f_to_bits(float x) {
    union {
        float f;
        u32 u;
    } pun;
    pun.f = x;
    return pun.u;
}

IFX_FN float f_from_bits(u32 bits) {
    union {
        u32 u;
        float f;
    } pun;
    pun.u = bits;
    return pun.f;
}

IFX_FN float f_infinity(void) { return f_from_bits(0x7f800000u); }
IFX_FN float f_nan(void) { return f_from_bits(0x7fc00000u); }
IFX_FN int f_is_nan(float x) { return x != x; }
IFX_FN float f_canonical(float x) { return f_is_nan(x) ? f_nan() : x; }

IFX_FN float f_abs(float x) { return f_from_bits(f_to_bits(x) & 0x7fffffffu); }
IFX_FN int f_is_finite(float x) { return f_abs(x) <= F_MAX; }

/* The second argument if either is NaN: what the instructions of x86 do. */
IFX_FN float f_min(float a, float b) { return a < b ? a : b; }
IFX_FN float f_max(float a, float b) { return a > b ? a : b; }

/* `lo` for NaN. */
IFX_FN float f_clamp(float x, float lo, float hi) { return f_min(f_max(x, lo), hi); }

IFX_FN float f_sqrt(float x) {
#if defined(__CUDACC__)
    return __fsqrt_rn(x);
#elif defined(__riscv)
    return f_from_bits(ifx_vm_sqrt(f_to_bits(x)));
#else
    return __builtin_sqrtf(x);
#endif
}

/* Without an instruction: the product of two floats is exact in a double. The sum is rounded to odd: where
 * it is inexact, its last bit is set. A double has 53 >= 2 x 24 + 2 bits, so that rounding such a sum to a
 * float gives what rounding the exact sum would (Boldo and Melquiond, 2008). No double here is subnormal:
 * the smallest product is 2^-298. */
IFX_FN float f_fma_double(float a, float b, float c) {
    union {
        double f;
        u64 u;
    } sum;
    double product = (double)a * (double)b;
    double addend = (double)c;
    sum.f = product + addend;
    double back = sum.f - product;
    double error = (product - (sum.f - back)) + (addend - back);
    int is_exact = error == 0.0 || !(sum.f - sum.f == 0.0);
    if (!is_exact && (sum.u & 1) == 0) {
        sum.u += (error > 0.0) == (sum.f > 0.0) ? 1 : (u64)-1;
    }
    return (float)sum.f;
}

IFX_FN float f_fma(float a, float b, float c) {
#if defined(__CUDACC__)
    return __fmaf_rn(a, b, c);
#elif defined(__FMA__)
    return __builtin_fmaf(a, b, c);
#elif defined(__riscv)
    return f_from_bits(ifx_vm_fma(f_to_bits(a), f_to_bits(b), f_to_bits(c)));
#else
    return f_fma_double(a, b, c);
#endif
}

/* Truncates; beyond the range, the nearest bound; 0 for NaN. */
IFX_FN i32 f_to_i32(float x) {
    if (f_is_nan(x)) {
        return 0;
    }
    if (x >= 2147483648.0f) {
        return 2147483647;
    }
    if (x < -2147483648.0f) {
        return -2147483647 - 1;
    }
    return (i32)x;
}

/* Truncates to 0 .. bound - 1; `bound` is at least 1 and at most 2^31. */
IFX_FN u32 f_to_index(float x, u32 bound) {
    i32 i = f_to_i32(x);
    if (i < 0) {
        return 0;
    }
    return (u32)i < bound ? (u32)i : bound - 1;
}

IFX_FN float f_floor(float x) {
    /* Larger numbers have no fraction; NaN goes the same way. */
    if (!(f_abs(x) < 8388608.0f)) {
        return x;
    }
    float whole = (float)(i32)x;
    return whole > x ? whole - 1.0f : whole;
}

#endif
