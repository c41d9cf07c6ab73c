/* Textures: four texels around a point, weighted. */
#ifndef IFX_TEXTURE_H
#define IFX_TEXTURE_H

#include "srgb.h"
#include "trace.h"

typedef struct {
    float r, g, b, a;
} Rgba;

/* Brings a coordinate to 0 .. 1, as the texture goes on beyond its edges. */
IFX_FN float texture_wrap(float x, u32 wrap) {
    if (!f_is_finite(x)) {
        return 0.0f;
    }
    if (wrap == IFX_WRAP_REPEAT) {
        return x - f_floor(x);
    }
    if (wrap == IFX_WRAP_MIRROR) {
        float pair = x * 0.5f;
        float phase = (pair - f_floor(pair)) * 2.0f;
        return phase > 1.0f ? 2.0f - phase : phase;
    }
    return f_clamp(x, 0.0f, 1.0f);
}

/* Brings a texel's index, at most one beyond an edge, to 0 .. size - 1. */
IFX_FN u32 texture_wrap_index(i32 i, u32 size, u32 wrap) {
    if (i < 0) {
        return wrap == IFX_WRAP_REPEAT ? size - 1 : 0;
    }
    if ((u32)i >= size) {
        return wrap == IFX_WRAP_REPEAT ? 0 : size - 1;
    }
    return (u32)i;
}

IFX_FN Rgba texture_texel(const View *view, const Texture *t, u32 x, u32 y) {
    u32 word = view->texels[t->first_texel + y * t->width + x];
    u32 r = word & 255, g = word >> 8 & 255, b = word >> 16 & 255, a = word >> 24;
    const float unit = 1.0f / 255.0f;
    Rgba c;
    if (t->encoding == IFX_TEXTURE_SRGB) {
        c.r = SRGB_TO_LINEAR[r], c.g = SRGB_TO_LINEAR[g], c.b = SRGB_TO_LINEAR[b];
    } else {
        c.r = (float)r * unit, c.g = (float)g * unit, c.b = (float)b * unit;
    }
    c.a = (float)a * unit;
    return c;
}

IFX_FN Rgba rgba_mix(Rgba a, Rgba b, float t) {
    float s = 1.0f - t;
    Rgba c = {a.r * s + b.r * t, a.g * s + b.g * t, a.b * s + b.b * t, a.a * s + b.a * t};
    return c;
}

/* `uv` holds both sets. White where there is no texture. */
IFX_COLD Rgba texture_read(const View *view, const TextureRef *ref, const float uv[2][2],
                           Budget *budget) {
    Rgba white = {1.0f, 1.0f, 1.0f, 1.0f};
    if (ref->texture == IFX_NONE) {
        return white;
    }
    budget->left -= (i32)COST_TEXTURE;
    const Texture *t = view->textures + ref->texture;
    const float *at = uv[ref->uv_set];
    float u = ref->row_u[0] * at[0] + ref->row_u[1] * at[1] + ref->row_u[2];
    float v = ref->row_v[0] * at[0] + ref->row_v[1] * at[1] + ref->row_v[2];
    float x = texture_wrap(u, t->wrap_u) * (float)t->width;
    float y = texture_wrap(v, t->wrap_v) * (float)t->height;
    if (t->filter == IFX_FILTER_NEAREST) {
        return texture_texel(view, t, f_to_index(x, t->width), f_to_index(y, t->height));
    }
    x = x - 0.5f;
    y = y - 0.5f;
    float left = f_floor(x), upper = f_floor(y);
    i32 i = f_to_i32(left), j = f_to_i32(upper);
    u32 x0 = texture_wrap_index(i, t->width, t->wrap_u);
    u32 x1 = texture_wrap_index(i + 1, t->width, t->wrap_u);
    u32 y0 = texture_wrap_index(j, t->height, t->wrap_v);
    u32 y1 = texture_wrap_index(j + 1, t->height, t->wrap_v);
    float fx = x - left;
    Rgba above = rgba_mix(texture_texel(view, t, x0, y0), texture_texel(view, t, x1, y0), fx);
    Rgba below = rgba_mix(texture_texel(view, t, x0, y1), texture_texel(view, t, x1, y1), fx);
    return rgba_mix(above, below, y - upper);
}

#endif
