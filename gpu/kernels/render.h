/* Units of a render, from paths upwards.
 *
 * - A sub-unit is one pixel times a range of SUB_UNIT_SAMPLES samples: its paths' radiances, summed in the
 *   order of the samples, and their costs. It is what a dispute runs in the VM.
 * - A pixel is the sum of its sub-units in the order of their ranges, divided by the number of samples, and
 *   the sum of their costs.
 * - A unit is a tile's pixels, row by row. Pixels outside of the frame are zero and cost nothing.
 * - A unit's cost is the sum of its pixels' costs, which stand in its output. From the first pixel on whose
 *   cost, with those before it, exceeds `max_cost`, all pixels are zero: the unit is CAPPED, and its cost
 *   is `max_cost`. Which pixels are cut depends on costs and their order alone, so pixels may be computed
 *   in any order, on any device. */
#ifndef IFX_RENDER_H
#define IFX_RENDER_H

#include "path.h"

typedef struct {
    float sum[3];
    u32 cost;
} SubUnit;

/* As it stands in a unit's output. */
typedef struct {
    float radiance[3];
    u32 cost;
} Pixel;
IFX_ASSERT_SIZE(Pixel, 16);

IFX_FN u32 render_range_count(const RenderParams *params) {
    return (params->samples + SUB_UNIT_SAMPLES - 1) / SUB_UNIT_SAMPLES;
}

/* Range `range` of pixel (x, y), which lies in the frame. */
IFX_FN void render_sub_unit(const View *view, const Camera *camera, const RenderParams *params, u32 frame,
                            u32 x, u32 y, u32 range, SubUnit *out) {
    u32 first = range * SUB_UNIT_SAMPLES;
    u32 left = params->samples - first;
    u32 end = first + (left < SUB_UNIT_SAMPLES ? left : SUB_UNIT_SAMPLES);
    V3 sum = v3(0.0f, 0.0f, 0.0f);
    u32 cost = 0;
    for (u32 sample = first; sample < end; sample++) {
        V3 radiance;
        cost += path_render(view, camera, params, frame, x, y, sample, &radiance);
        sum = v3_add(sum, radiance);
    }
    out->sum[0] = f_canonical(sum.x);
    out->sum[1] = f_canonical(sum.y);
    out->sum[2] = f_canonical(sum.z);
    out->cost = cost;
}

/* Adds a sub-unit to its pixel, which begins at zero. */
IFX_FN void pixel_add(Pixel *pixel, const SubUnit *part) {
    for (u32 i = 0; i < 3; i++) {
        pixel->radiance[i] = pixel->radiance[i] + part->sum[i];
    }
    /* At most 65,536 samples of PATH_COST_MAX: 2^31. */
    pixel->cost += part->cost;
}

/* Ends a pixel that has all of its sub-units. */
IFX_FN void pixel_close(Pixel *pixel, u32 samples) {
    for (u32 i = 0; i < 3; i++) {
        pixel->radiance[i] = f_canonical(pixel->radiance[i] / (float)samples);
    }
}

IFX_FN void render_pixel(const View *view, const Camera *camera, const RenderParams *params, u32 frame,
                         u32 x, u32 y, Pixel *out) {
    Pixel pixel = {{0.0f, 0.0f, 0.0f}, 0};
    u32 range_count = render_range_count(params);
    for (u32 range = 0; range < range_count; range++) {
        SubUnit part;
        render_sub_unit(view, camera, params, frame, x, y, range, &part);
        pixel_add(&pixel, &part);
    }
    pixel_close(&pixel, params->samples);
    *out = pixel;
}

/* Cuts the pixels that do not fit in `max_cost`. Returns whether there are any. */
IFX_FN int render_close_unit(Pixel *pixels, u32 pixel_count, u64 max_cost, u64 *cost) {
    u64 sum = 0;
    u32 i = 0;
    while (i < pixel_count && sum + pixels[i].cost <= max_cost) {
        sum += pixels[i].cost;
        i++;
    }
    int is_capped = i < pixel_count;
    *cost = is_capped ? max_cost : sum;
    for (; i < pixel_count; i++) {
        Pixel zero = {{0.0f, 0.0f, 0.0f}, 0};
        pixels[i] = zero;
    }
    return is_capped;
}

#endif
