/* What gcc calls on a machine without floating point and without 64-bit words, by the names that it calls them.
 * Nothing else is linked to a program of the dispute VM: no libgcc, no libm, no libc. */
#include "../soft_float.h"

/* Floats travel as their bits. */
u32 __addsf3(u32 a, u32 b) { return sf_add(a, b); }
u32 __subsf3(u32 a, u32 b) { return sf_sub(a, b); }
u32 __mulsf3(u32 a, u32 b) { return sf_mul(a, b); }
u32 __divsf3(u32 a, u32 b) { return sf_div(a, b); }
u32 ifx_vm_sqrt(u32 a) { return sf_sqrt(a); }
u32 ifx_vm_fma(u32 a, u32 b, u32 c) { return sf_fma(a, b, c); }

/* Of numbers in no order, each comparison is false. */
i32 __eqsf2(u32 a, u32 b) { return sf_compare(a, b, 1); }
i32 __nesf2(u32 a, u32 b) { return sf_compare(a, b, 1); }
i32 __ltsf2(u32 a, u32 b) { return sf_compare(a, b, 1); }
i32 __lesf2(u32 a, u32 b) { return sf_compare(a, b, 1); }
i32 __gtsf2(u32 a, u32 b) { return sf_compare(a, b, -1); }
i32 __gesf2(u32 a, u32 b) { return sf_compare(a, b, -1); }
i32 __unordsf2(u32 a, u32 b) { return sf_is_nan(a) || sf_is_nan(b); }

u32 __floatsisf(i32 x) { return sf_from_i32(x); }
u32 __floatunsisf(u32 x) { return sf_from_u32(x); }
i32 __fixsfsi(u32 a) { return sf_to_i32(a); }
u32 __fixunssfsi(u32 a) { return sf_to_u32(a); }

/* Shifts of 64-bit words, by 0 to 63. */
typedef union {
    u64 whole;
    struct {
        u32 low, high;
    } half;
} Words;

u64 __ashldi3(u64 x, i32 by) {
    Words w;
    w.whole = x;
    if (by >= 32) {
        w.half.high = w.half.low << (by - 32);
        w.half.low = 0;
    } else if (by != 0) {
        w.half.high = w.half.high << by | w.half.low >> (32 - by);
        w.half.low <<= by;
    }
    return w.whole;
}

u64 __lshrdi3(u64 x, i32 by) {
    Words w;
    w.whole = x;
    if (by >= 32) {
        w.half.low = w.half.high >> (by - 32);
        w.half.high = 0;
    } else if (by != 0) {
        w.half.low = w.half.low >> by | w.half.high << (32 - by);
        w.half.high >>= by;
    }
    return w.whole;
}

/* Copies that gcc makes of structs. */
void *memcpy(void *to, const void *from, unsigned int size) {
    u8 *t = to;
    const u8 *f = from;
    if ((((u32)t | (u32)f | size) & 3) == 0) {
        for (u32 i = 0; i < size / 4; i++) {
            ((u32 *)to)[i] = ((const u32 *)from)[i];
        }
        return to;
    }
    for (u32 i = 0; i < size; i++) {
        t[i] = f[i];
    }
    return to;
}

void *memset(void *to, int value, unsigned int size) {
    u8 *t = to;
    for (u32 i = 0; i < size; i++) {
        t[i] = (u8)value;
    }
    return to;
}

/* The place of the lowest bit; `x` is not 0. */
i32 __ctzsi2(u32 x) { return 31 - sf_leading_zeros(x & (0u - x)); }
