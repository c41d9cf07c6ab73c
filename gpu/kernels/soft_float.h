/* IEEE 754 binary32 with integers alone, for the dispute VM: round to nearest even, subnormals kept, every NaN is
 * 0x7fc00000. Numbers are their bits.
 *
 * A number on its way to be rounded is `sig x 2^(exponent - 157)`, with the leading bit of `sig` at 30, so that
 * seven bits stand below the last of the result; the lowest of them is set ("sticky") when any bit below it was
 * lost. Sources: IEEE 754-2019, clauses 4.3.1 and 5.4; the form of the roundings is that of SoftFloat (Hauser). */
#ifndef IFX_SOFT_FLOAT_H
#define IFX_SOFT_FLOAT_H

#include "types.h"

#define SF_NAN 0x7fc00000u
#define SF_INFINITY 0x7f800000u
#define SF_SIGN 0x80000000u
#define SF_HIDDEN 0x00800000u
#define SF_LEADING 0x40000000u

IFX_FN i32 sf_exponent(u32 x) { return (i32)(x >> 23 & 0xff); }
IFX_FN u32 sf_magnitude(u32 x) { return x & ~SF_SIGN; }
IFX_FN int sf_is_nan(u32 x) { return sf_magnitude(x) > SF_INFINITY; }

/* Zeros above the leading bit; `x` is not 0. A loop would cost more than the number that it normalizes. */
IFX_FN i32 sf_leading_zeros(u32 x) {
    i32 n = 0;
    if (x < 0x10000u) {
        n += 16;
        x <<= 16;
    }
    if (x < 0x1000000u) {
        n += 8;
        x <<= 8;
    }
    if (x < 0x10000000u) {
        n += 4;
        x <<= 4;
    }
    if (x < 0x40000000u) {
        n += 2;
        x <<= 2;
    }
    return n + (x < 0x80000000u);
}

/* Shifts right and keeps what is lost in the lowest bit. */
IFX_FN u32 sf_shift_sticky(u32 x, i32 by) {
    if (by == 0) {
        return x;
    }
    if (by > 31) {
        return x != 0;
    }
    return x >> by | ((x << (32 - by)) != 0);
}

/* The leading bit at 23, and the exponent that goes with it. For a number that is neither 0 nor infinite. */
IFX_FN u32 sf_normal(u32 x, i32 *exponent) {
    u32 sig = x & 0x7fffffu;
    *exponent = sf_exponent(x);
    if (*exponent != 0) {
        return sig | SF_HIDDEN;
    }
    i32 shift = sf_leading_zeros(sig) - 8;
    *exponent = 1 - shift;
    return sig << shift;
}

IFX_FN u32 sf_round(u32 sign, i32 exponent, u32 sig) {
    if (exponent <= 0) {
        sig = sf_shift_sticky(sig, 1 - exponent);
        exponent = 0;
    } else if (exponent >= 255) {
        return sign | SF_INFINITY;
    } else {
        /* The hidden bit of `sig` adds the one that is taken here. */
        exponent--;
    }
    u32 lost = sig & 0x7f;
    sig = (sig + 0x40) >> 7;
    if (lost == 0x40) {
        sig &= ~1u;
    }
    /* A carry out of the fraction is a carry into the exponent, up to infinity. */
    return sign | (((u32)exponent << 23) + sig);
}

/* `sig` with its leading bit anywhere. */
IFX_FN u32 sf_round_any(u32 sign, i32 exponent, u32 sig) {
    if (sig == 0) {
        return sign;
    }
    i32 shift = sf_leading_zeros(sig) - 1;
    if (shift < 0) {
        return sf_round(sign, exponent + 1, sf_shift_sticky(sig, 1));
    }
    return sf_round(sign, exponent - shift, sig << shift);
}

IFX_FN u32 sf_add(u32 a, u32 b) {
    u32 x = sf_magnitude(a), y = sf_magnitude(b);
    /* `a` is the larger. */
    if (x < y) {
        u32 t = a;
        a = b;
        b = t;
        t = x;
        x = y;
        y = t;
    }
    if (x >= SF_INFINITY) {
        int is_nan = x > SF_INFINITY || (y == SF_INFINITY && a != b);
        return is_nan ? SF_NAN : a;
    }
    u32 sign = a & SF_SIGN;
    if (y == 0) {
        return x == 0 ? a & b : a;
    }
    i32 ea = (i32)(x >> 23), eb = (i32)(y >> 23);
    u32 sa = (x & 0x7fffffu) << 7, sb = (y & 0x7fffffu) << 7;
    if (ea != 0) {
        sa |= SF_LEADING;
    } else {
        ea = 1;
    }
    if (eb != 0) {
        sb |= SF_LEADING;
    } else {
        eb = 1;
    }
    sb = sf_shift_sticky(sb, ea - eb);
    if (((a ^ b) & SF_SIGN) == 0) {
        u32 sum = sa + sb;
        if (sum & SF_SIGN) {
            return sf_round(sign, ea + 1, sum >> 1 | (sum & 1));
        }
        /* Two subnormals: nothing is lost. */
        return sum & SF_LEADING ? sf_round(sign, ea, sum) : sign | sum >> 7;
    }
    u32 difference = sa - sb;
    if (difference == 0) {
        return 0;
    }
    i32 shift = sf_leading_zeros(difference) - 1;
    return sf_round(sign, ea - shift, difference << shift);
}

IFX_FN u32 sf_sub(u32 a, u32 b) { return sf_add(a, b ^ SF_SIGN); }

IFX_FN u32 sf_mul(u32 a, u32 b) {
    u32 sign = (a ^ b) & SF_SIGN;
    u32 x = sf_magnitude(a), y = sf_magnitude(b);
    if (x >= SF_INFINITY || y >= SF_INFINITY) {
        int is_nan = x > SF_INFINITY || y > SF_INFINITY || x == 0 || y == 0;
        return is_nan ? SF_NAN : sign | SF_INFINITY;
    }
    if (x == 0 || y == 0) {
        return sign;
    }
    i32 ea, eb;
    u64 product = (u64)(sf_normal(x, &ea) << 8) * (sf_normal(y, &eb) << 8);
    u32 high = (u32)(product >> 32);
    u32 low = (u32)product;
    /* Leading bit 31 or 30 of `high`. */
    i32 exponent = ea + eb - 127;
    if (high & SF_SIGN) {
        return sf_round(sign, exponent + 1, high >> 1 | ((high & 1) != 0) | (low != 0));
    }
    return sf_round(sign, exponent, high | (low != 0));
}

IFX_FN u32 sf_div(u32 a, u32 b) {
    u32 sign = (a ^ b) & SF_SIGN;
    u32 x = sf_magnitude(a), y = sf_magnitude(b);
    if (x > SF_INFINITY || y > SF_INFINITY || (x == y && (x == 0 || x == SF_INFINITY))) {
        return SF_NAN;
    }
    if (x == SF_INFINITY || y == 0) {
        return sign | SF_INFINITY;
    }
    if (x == 0 || y == SF_INFINITY) {
        return sign;
    }
    i32 ea, eb;
    u32 rest = sf_normal(x, &ea), divisor = sf_normal(y, &eb);
    i32 exponent = ea - eb + 127;
    if (rest < divisor) {
        rest <<= 1;
        exponent--;
    }
    /* One bit, then eight, eight, eight and six: a remainder has 24 bits. */
    rest -= divisor;
    u32 quotient = 1;
    for (u32 i = 0; i < 3; i++) {
        rest <<= 8;
        u32 digit = rest / divisor;
        rest -= digit * divisor;
        quotient = quotient << 8 | digit;
    }
    rest <<= 6;
    u32 digit = rest / divisor;
    rest -= digit * divisor;
    quotient = quotient << 6 | digit;
    return sf_round(sign, exponent, quotient | (rest != 0));
}

IFX_FN u32 sf_sqrt(u32 a) {
    u32 x = sf_magnitude(a);
    if (x == 0) {
        return a;
    }
    if (a >= SF_INFINITY) {
        return a == SF_INFINITY ? a : SF_NAN;
    }
    i32 exponent;
    u32 sig = sf_normal(x, &exponent);
    /* `sig x 2^(exponent - 150)`; the exponent of the square is made even. */
    exponent -= 127;
    if (exponent & 1) {
        sig <<= 1;
    }
    exponent = exponent >> 1;
    /* Digit by digit: the root of `sig x 2^27`, 26 bits with the leading one at 25. */
    u32 root = 0, rest = 0;
    u32 left = sig << 7;
    for (i32 i = 0; i < 26; i++) {
        rest = rest << 2 | left >> 30;
        left <<= 2;
        u32 trial = root << 2 | 1;
        root <<= 1;
        if (rest >= trial) {
            rest -= trial;
            root |= 1;
        }
    }
    return sf_round(0, exponent + 127, root << 5 | (rest != 0));
}

IFX_FN u64 sf_shift_sticky_64(u64 x, i32 by) {
    if (by == 0) {
        return x;
    }
    if (by > 63) {
        return x != 0;
    }
    return x >> by | ((x << (64 - by)) != 0);
}

/* `a x b + c`, rounded once. */
IFX_FN u32 sf_fma(u32 a, u32 b, u32 c) {
    u32 sign = (a ^ b) & SF_SIGN;
    u32 x = sf_magnitude(a), y = sf_magnitude(b), z = sf_magnitude(c);
    if (x >= SF_INFINITY || y >= SF_INFINITY || z >= SF_INFINITY) {
        if (x > SF_INFINITY || y > SF_INFINITY || z > SF_INFINITY) {
            return SF_NAN;
        }
        if (x < SF_INFINITY && y < SF_INFINITY) {
            return c;
        }
        int is_nan = x == 0 || y == 0 || (z == SF_INFINITY && (c & SF_SIGN) != sign);
        return is_nan ? SF_NAN : sign | SF_INFINITY;
    }
    if (x == 0 || y == 0) {
        return z == 0 ? c & (sign | ~SF_SIGN) : c;
    }
    i32 ea, eb, ec;
    u64 product = (u64)(sf_normal(x, &ea) << 8) * (sf_normal(y, &eb) << 7);
    i32 exponent = ea + eb - 127;
    /* The leading bit at 62, and the rest of the product below it: 15 zeros at least. */
    if (product >> 62) {
        exponent++;
    } else {
        product <<= 1;
    }
    if (z == 0) {
        u32 high = (u32)(product >> 32);
        return sf_round(sign, exponent, high | ((u32)product != 0));
    }
    u64 addend = (u64)(sf_normal(z, &ec) << 7) << 32;
    u32 addend_sign = c & SF_SIGN;
    i32 distance = exponent - ec;
    if (distance >= 0) {
        addend = sf_shift_sticky_64(addend, distance);
    } else {
        product = sf_shift_sticky_64(product, -distance);
        exponent = ec;
    }
    u64 sum;
    if (sign == addend_sign) {
        sum = product + addend;
    } else if (product >= addend) {
        sum = product - addend;
        if (sum == 0) {
            return 0;
        }
    } else {
        sum = addend - product;
        sign = addend_sign;
    }
    u32 high = (u32)(sum >> 32), low = (u32)sum;
    if (high == 0) {
        /* Everything cancelled but the end of the product: exact, for nothing was shifted out. */
        i32 shift = sf_leading_zeros(low);
        u32 sig = low << shift;
        return sf_round(sign, exponent - 31 - shift, sf_shift_sticky(sig, 1));
    }
    if (high & SF_SIGN) {
        return sf_round(sign, exponent + 1, high >> 1 | (high & 1) | (low != 0));
    }
    i32 shift = sf_leading_zeros(high) - 1;
    if (shift != 0) {
        high = high << shift | low >> (32 - shift);
        low <<= shift;
    }
    return sf_round(sign, exponent - shift, high | (low != 0));
}

/* -1, 0, 1, or `unordered`. */
IFX_FN i32 sf_compare(u32 a, u32 b, i32 unordered) {
    if (sf_is_nan(a) || sf_is_nan(b)) {
        return unordered;
    }
    if (a == b || sf_magnitude(a | b) == 0) {
        return 0;
    }
    i32 x = (i32)a, y = (i32)b;
    /* Of two negative numbers the larger bits are the smaller number. */
    int is_less = (x & y) < 0 ? x > y : x < y;
    return is_less ? -1 : 1;
}

IFX_FN u32 sf_from_magnitude(u32 sign, u32 x) { return sf_round_any(sign, 157, x); }
IFX_FN u32 sf_from_u32(u32 x) { return sf_from_magnitude(0, x); }
IFX_FN u32 sf_from_i32(i32 x) {
    u32 bits = (u32)x;
    return x < 0 ? sf_from_magnitude(SF_SIGN, 0u - bits) : sf_from_magnitude(0, bits);
}

/* Truncates. Out of range: the nearest bound, which is what RISC-V's own conversion gives; 2^31 - 1 for NaN. */
IFX_FN i32 sf_to_i32(u32 a) {
    i32 exponent = sf_exponent(a) - 127;
    if (exponent < 0) {
        return 0;
    }
    if (exponent > 30) {
        return a > SF_SIGN && !sf_is_nan(a) ? -2147483647 - 1 : 2147483647;
    }
    u32 sig = (a & 0x7fffffu) | SF_HIDDEN;
    u32 whole = exponent <= 23 ? sig >> (23 - exponent) : sig << (exponent - 23);
    return a & SF_SIGN ? (i32)(0u - whole) : (i32)whole;
}

IFX_FN u32 sf_to_u32(u32 a) {
    i32 exponent = sf_exponent(a) - 127;
    if (exponent < 0 || (a & SF_SIGN)) {
        return 0;
    }
    if (exponent > 31) {
        return 0xffffffffu;
    }
    u32 sig = (a & 0x7fffffu) | SF_HIDDEN;
    return exponent <= 23 ? sig >> (23 - exponent) : sig << (exponent - 23);
}

#endif
