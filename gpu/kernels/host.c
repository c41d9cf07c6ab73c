/* Entry points for the CPU. Compiled once for each instruction set, with a prefix of its own.
 *
 * Every `blob` has passed the validator for the parameters at hand and lies on a boundary of 64 bytes. */
#include "render.h"
#include "soft_float.h"

/* The caller's thread may round otherwise or flush subnormals to zero: one library built for speed is enough
 * to set that for a whole process. Each entry computes under the default, and puts back what it found. */
#if defined(__SSE2__)
IFX_FN u32 rounding_begin(void) {
    u32 found = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(0x1f80);
    return found;
}
IFX_FN void rounding_end(u32 found) { __builtin_ia32_ldmxcsr(found); }
#else
IFX_FN u32 rounding_begin(void) { return 0; }
IFX_FN void rounding_end(u32 found) { (void)found; }
#endif

/* Out of line, so that no sum is moved to where another rounding holds. */
IFX_COLD void host_sub_unit(const u8 *blob, const RenderParams *params, u32 frame, u32 x, u32 y, u32 range,
                            SubUnit *out) {
    View view = view_open(blob, frame);
    Camera camera = camera_of(&view, params);
    render_sub_unit(&view, &camera, params, frame, x, y, range, out);
}

IFX_COLD void host_pixels(const u8 *blob, const RenderParams *params, u32 frame, u32 x, u32 y, u32 count,
                          Pixel *out) {
    View view = view_open(blob, frame);
    Camera camera = camera_of(&view, params);
    for (u32 i = 0; i < count; i++) {
        render_pixel(&view, &camera, params, frame, x + i, y, out + i);
    }
}

IFX_COLD u64 host_rays(const u8 *blob, u32 frame, const Ray *rays, u64 count, u32 any, Hit *hits) {
    View view = view_open(blob, frame);
    u64 cost = 0;
    for (u64 i = 0; i < count; i++) {
        Budget budget = {1 << 30};
        if (any) {
            trace_any(&view, rays + i, hits + i, &budget);
        } else {
            trace_closest(&view, rays + i, hits + i, &budget);
        }
        cost += (u64)((1 << 30) - budget.left);
    }
    return cost;
}

void IFX_SYMBOL(sub_unit)(const u8 *blob, const RenderParams *params, u32 frame, u32 x, u32 y, u32 range,
                          SubUnit *out) {
    u32 found = rounding_begin();
    host_sub_unit(blob, params, frame, x, y, range, out);
    rounding_end(found);
}

/* `count` pixels of a row from (x, y) on, all of them in the frame. */
void IFX_SYMBOL(pixels)(const u8 *blob, const RenderParams *params, u32 frame, u32 x, u32 y, u32 count,
                        Pixel *out) {
    u32 found = rounding_begin();
    host_pixels(blob, params, frame, x, y, count, out);
    rounding_end(found);
}

u32 IFX_SYMBOL(close_unit)(Pixel *pixels, u32 pixel_count, u64 max_cost, u64 *cost) {
    return (u32)render_close_unit(pixels, pixel_count, max_cost, cost);
}

/* Rays without a path, for tests and benchmarks. `any`: the hit only tells that there is one. Returns the
 * cost of all of them. */
u64 IFX_SYMBOL(rays)(const u8 *blob, u32 frame, const Ray *rays, u64 count, u32 any, Hit *hits) {
    u32 found = rounding_begin();
    u64 cost = host_rays(blob, frame, rays, count, any, hits);
    rounding_end(found);
    return cost;
}

/* One function of float.h or math.h, for tests. */
float IFX_SYMBOL(number)(u32 function, float a, float b, float c) {
    switch (function) {
    case 0: return f_canonical(f_fma(a, b, c));
    case 1: return f_canonical(f_sqrt(a));
    case 2: return f_canonical(a + b);
    case 3: return f_canonical(a * b);
    case 4: return f_canonical(a / b);
    case 5: return f_canonical(f_floor(a));
    case 6: return (float)f_to_i32(a);
    case 7: return f_canonical(m_exp(a));
    case 8: return f_canonical(m_log(a));
    case 9: return f_canonical(m_sine_cosine(a).sine);
    case 10: return f_canonical(m_sine_cosine(a).cosine);
    case 11: return f_canonical(m_sine_cosine_turn(a).sine);
    case 12: return f_canonical(m_sine_cosine_turn(a).cosine);
    case 13: return f_canonical(m_arctangent(a, b));
    case 14: return f_canonical(m_arccosine(a));
    case 15: return f_canonical(m_pow(a, b));
    case 16: return f_canonical(f_fma_double(a, b, c));
    case 17: return f_canonical(a - b);
    case 18: return f_from_bits(sf_add(f_to_bits(a), f_to_bits(b)));
    case 19: return f_from_bits(sf_sub(f_to_bits(a), f_to_bits(b)));
    case 20: return f_from_bits(sf_mul(f_to_bits(a), f_to_bits(b)));
    case 21: return f_from_bits(sf_div(f_to_bits(a), f_to_bits(b)));
    case 22: return f_from_bits(sf_sqrt(f_to_bits(a)));
    case 23: return f_from_bits(sf_fma(f_to_bits(a), f_to_bits(b), f_to_bits(c)));
    case 24: return (float)(sf_compare(f_to_bits(a), f_to_bits(b), 2));
    case 25: return f_from_bits(sf_from_i32((i32)f_to_bits(a)));
    case 26: return f_from_bits(sf_from_u32(f_to_bits(a)));
    case 27: return f_from_bits((u32)sf_to_i32(f_to_bits(a)));
    case 28: return f_from_bits(sf_to_u32(f_to_bits(a)));
    default: return f_nan();
    }
}
