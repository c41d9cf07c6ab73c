/* Elementary functions on top of float.h: no libm, the same bits on every target.
 *
 * tests/math.rs holds each to its error bound, in units in the last place. */
#ifndef IFX_MATH_H
#define IFX_MATH_H

#include "float.h"

/* 2^n times x, for -252 <= n <= 254: two steps, so that a subnormal result is rounded once. */
IFX_FN float m_scale(float x, i32 n) {
    i32 half = n / 2;
    float first = f_from_bits((u32)(half + 127) << 23);
    float second = f_from_bits((u32)(n - half + 127) << 23);
    return x * first * second;
}

/* e^x. At most 1 ulp. */
IFX_FN float m_exp(float x) {
    if (f_is_nan(x)) {
        return f_nan();
    }
    if (x > 88.7228393f) {
        return f_infinity();
    }
    if (x < -104.0f) {
        return 0.0f;
    }
    float n = f_floor(f_fma(x, 1.44269504f, 0.5f));
    float r = f_fma(n, -0.693359375f, x);
    r = f_fma(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = f_fma(p, r, 1.3981999507e-3f);
    p = f_fma(p, r, 8.3334519073e-3f);
    p = f_fma(p, r, 4.1665795894e-2f);
    p = f_fma(p, r, 1.6666665459e-1f);
    p = f_fma(p, r, 5.0000001201e-1f);
    p = f_fma(p, r * r, r) + 1.0f;
    return m_scale(p, (i32)n);
}

/* Natural logarithm. At most 2 ulp. */
IFX_FN float m_log(float x) {
    if (f_is_nan(x) || x < 0.0f) {
        return f_nan();
    }
    if (x == 0.0f) {
        return -f_infinity();
    }
    if (x > F_MAX) {
        return x;
    }
    i32 exponent = 0;
    if (x < 1.17549435e-38f) {
        x = x * 8388608.0f;
        exponent = -23;
    }
    u32 bits = f_to_bits(x);
    exponent += (i32)(bits >> 23) - 126;
    float m = f_from_bits((bits & 0x007fffffu) | 0x3f000000u);
    if (m < 0.707106781f) {
        exponent -= 1;
        m = m + m;
    }
    m = m - 1.0f;
    float n = (float)exponent;
    float z = m * m;
    float p = 7.0376836292e-2f;
    p = f_fma(p, m, -1.1514610310e-1f);
    p = f_fma(p, m, 1.1676998740e-1f);
    p = f_fma(p, m, -1.2420140846e-1f);
    p = f_fma(p, m, 1.4249322787e-1f);
    p = f_fma(p, m, -1.6668057665e-1f);
    p = f_fma(p, m, 2.0000714765e-1f);
    p = f_fma(p, m, -2.4999993993e-1f);
    p = f_fma(p, m, 3.3333331174e-1f);
    p = p * m * z;
    p = f_fma(n, -2.12194440e-4f, p);
    p = f_fma(z, -0.5f, p);
    return f_fma(n, 0.693359375f, m + p);
}

/* x^y for x >= 0. Relative error at most (4 + |y log x|) x 2^-23. */
IFX_FN float m_pow(float x, float y) {
    if (y == 0.0f) {
        return 1.0f;
    }
    return m_exp(y * m_log(x));
}

typedef struct {
    float sine;
    float cosine;
} SineCosine;

/* Of r + q quarter turns, |r| <= pi / 4. */
IFX_FN SineCosine m_sine_cosine_of(float r, i32 q) {
    float z = r * r;
    float s = -1.9515295891e-4f;
    s = f_fma(s, z, 8.3321608736e-3f);
    s = f_fma(s, z, -1.6666654611e-1f);
    s = f_fma(s * z, r, r);
    float c = 2.443315711809948e-5f;
    c = f_fma(c, z, -1.388731625493765e-3f);
    c = f_fma(c, z, 4.166664568298827e-2f);
    c = f_fma(c, z * z, f_fma(z, -0.5f, 1.0f));
    SineCosine result;
    result.sine = (q & 1) ? c : s;
    result.cosine = (q & 1) ? s : c;
    if (q & 2) {
        result.sine = -result.sine;
    }
    if ((q + 1) & 2) {
        result.cosine = -result.cosine;
    }
    return result;
}

/* Of x radians. At most 2 ulp, or 2^-24 where the result is small, for |x| <= 8192; less exact beyond, and
 * zero and one where x is not finite. */
IFX_FN SineCosine m_sine_cosine(float x) {
    if (!f_is_finite(x)) {
        SineCosine none = {0.0f, 1.0f};
        return none;
    }
    float n = f_floor(f_fma(x, 0.636619772f, 0.5f));
    float r = f_fma(n, -1.5707962513f, x);
    r = f_fma(n, -7.5497894159e-8f, r);
    r = f_fma(n, -5.3903029534e-15f, r);
    if (!(f_abs(r) <= 1.0f)) {
        r = 0.0f;
    }
    return m_sine_cosine_of(r, f_to_i32(n));
}

/* Of `turn` full turns, 0 <= turn <= 1: no reduction, since quarters of a turn are exact. */
IFX_FN SineCosine m_sine_cosine_turn(float turn) {
    i32 q = f_to_i32(turn * 4.0f + 0.5f);
    float r = turn - (float)q * 0.25f;
    return m_sine_cosine_of(r * 6.28318531f, q);
}

/* Of 0 <= x <= 1. */
IFX_FN float m_arctangent_unit(float x) {
    float base = 0.0f;
    if (x > 0.414213562f) {
        base = 0.785398163f;
        x = (x - 1.0f) / (x + 1.0f);
    }
    float z = x * x;
    float p = 8.05374449538e-2f;
    p = f_fma(p, z, -1.38776856032e-1f);
    p = f_fma(p, z, 1.99777106478e-1f);
    p = f_fma(p, z, -3.33329491539e-1f);
    return base + f_fma(p * z, x, x);
}

/* Angle of (x, y) in -pi .. pi. At most 4 ulp; 0 for the origin and where an argument is not finite. */
IFX_FN float m_arctangent(float y, float x) {
    float ax = f_abs(x);
    float ay = f_abs(y);
    if (!(ax <= F_MAX) || !(ay <= F_MAX) || (ax == 0.0f && ay == 0.0f)) {
        return 0.0f;
    }
    float angle = ay > ax ? 1.57079633f - m_arctangent_unit(ax / ay) : m_arctangent_unit(ay / ax);
    if (x < 0.0f) {
        angle = 3.14159265f - angle;
    }
    return y < 0.0f ? -angle : angle;
}

/* Angle whose cosine is x, in 0 .. pi; x is clamped to -1 .. 1. At most 4 ulp. */
IFX_FN float m_arccosine(float x) {
    x = f_clamp(x, -1.0f, 1.0f);
    float sine = f_sqrt((1.0f - x) * (1.0f + x));
    return m_arctangent(sine, x);
}

#endif
