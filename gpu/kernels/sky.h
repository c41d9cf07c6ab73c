/* What surrounds the scene: its radiance by direction, and drawing directions of an image. */
#ifndef IFX_SKY_H
#define IFX_SKY_H

#include "math.h"
#include "random.h"
#include "trace.h"

/* A place in the image, in texels. */
typedef struct {
    float x, y;
    float sine; /* of the angle from +y */
} SkyPlace;

IFX_FN SkyPlace sky_place(const SceneHeader *h, V3 d) {
    float c = h->sky_turn[0], s = h->sky_turn[1];
    float x = c * d.x - s * d.z;
    float z = s * d.x + c * d.z;
    float turn = m_arctangent(z, x) * (0.5f * F_1_PI) + 0.5f;
    float rise = m_arccosine(d.y) * F_1_PI;
    SkyPlace place;
    place.x = f_clamp(turn, 0.0f, 1.0f) * (float)h->sky_width;
    place.y = f_clamp(rise, 0.0f, 1.0f) * (float)h->sky_height;
    place.sine = f_sqrt(f_max(1.0f - d.y * d.y, 0.0f));
    return place;
}

IFX_FN V3 sky_texel(const View *view, i32 x, i32 y) {
    const SceneHeader *h = view->header;
    i32 width = (i32)h->sky_width, height = (i32)h->sky_height;
    x = x < 0 ? width - 1 : x;
    x = x >= width ? 0 : x;
    y = y < 0 ? 0 : y;
    y = y >= height ? height - 1 : y;
    return v3_of(view->sky[(u32)y * h->sky_width + (u32)x].radiance);
}

IFX_FN V3 sky_image(const View *view, V3 d) {
    SkyPlace place = sky_place(view->header, d);
    float x = place.x - 0.5f, y = place.y - 0.5f;
    float left = f_floor(x), upper = f_floor(y);
    i32 i = f_to_i32(left), j = f_to_i32(upper);
    V3 above = v3_lerp(sky_texel(view, i, j), sky_texel(view, i + 1, j), x - left);
    V3 below = v3_lerp(sky_texel(view, i, j + 1), sky_texel(view, i + 1, j + 1), x - left);
    return v3_lerp(above, below, y - upper);
}

IFX_COLD V3 sky_radiance(const View *view, V3 d, Budget *budget) {
    const SceneHeader *h = view->header;
    budget->left -= (i32)COST_SKY;
    if (h->sky_kind == IFX_SKY_CONSTANT) {
        return v3_of(h->sky_zenith);
    }
    if (h->sky_kind == IFX_SKY_IMAGE) {
        return sky_image(view, d);
    }
    if (h->sky_kind == IFX_SKY_GRADIENT) {
        if (d.y < 0.0f) {
            return v3_lerp(v3_of(h->sky_horizon), v3_of(h->sky_ground), f_min(1.0f, -d.y * 8.0f));
        }
        return v3_lerp(v3_of(h->sky_horizon), v3_of(h->sky_zenith), f_min(1.0f, f_sqrt(d.y)));
    }
    return v3(0.0f, 0.0f, 0.0f);
}

/* Of texel-sized patches: probability of the texel over the solid angle that it covers. */
IFX_FN float sky_density(const SceneHeader *h, float pick, float sine) {
    float texels = (float)h->sky_width * (float)h->sky_height;
    return pick * texels / (2.0f * F_PI * F_PI * f_max(sine, 1e-6f));
}

/* Density with which sky_sample draws `d`. 0 where the sky is no light. */
IFX_FN float sky_pdf(const View *view, V3 d) {
    if (view->frame->sky_light == IFX_NONE) {
        return 0.0f;
    }
    const SceneHeader *h = view->header;
    SkyPlace place = sky_place(h, d);
    u32 x = f_to_index(place.x, h->sky_width);
    u32 y = f_to_index(place.y, h->sky_height);
    float pick = view->sky[y * h->sky_width + x].pick;
    return sky_density(h, pick, place.sine) * view->lights[view->frame->sky_light].pick;
}

/* Only of a sky that is an image. */
IFX_FN V3 sky_sample(const View *view, Random *random, float *pdf) {
    const SceneHeader *h = view->header;
    u32 count = h->sky_width * h->sky_height;
    /* The high and the low part of an index are drawn apart: a float has too few bits for an image. */
    u32 row = f_to_index(random_draw(random) * (float)h->sky_height, h->sky_height);
    u32 column = f_to_index(random_draw(random) * (float)h->sky_width, h->sky_width);
    u32 index = row * h->sky_width + column;
    if (random_draw(random) >= view->sky[index].threshold) {
        index = view->sky[index].alias;
    }
    index = index < count ? index : count - 1;
    float x = ((float)(index % h->sky_width) + random_draw(random)) / (float)h->sky_width;
    float y = ((float)(index / h->sky_width) + random_draw(random)) / (float)h->sky_height;
    SineCosine turn = m_sine_cosine_turn(f_clamp(x, 0.0f, 1.0f));
    SineCosine rise = m_sine_cosine_turn(f_clamp(y, 0.0f, 1.0f) * 0.5f);
    /* Half a turn is added: column 0 looks to -x. */
    float ix = -turn.cosine * rise.sine;
    float iz = -turn.sine * rise.sine;
    float c = h->sky_turn[0], s = h->sky_turn[1];
    V3 d = v3(c * ix + s * iz, rise.cosine, c * iz - s * ix);
    *pdf = sky_density(h, view->sky[index].pick, rise.sine);
    return v3_unit_or(d, v3(0.0f, 1.0f, 0.0f));
}

#endif
