/* Drawing a light, and a direction towards it. */
#ifndef IFX_LIGHT_H
#define IFX_LIGHT_H

#include "sky.h"
#include "surface.h"

typedef struct {
    V3 direction;
    float distance;
    V3 radiance; /* of a light without size: what arrives, as if the density were 1 */
    float pdf;   /* by solid angle, choice of the light included; 0: nothing was drawn */
    int is_point; /* no surface or direction can meet it by chance */
} LightSample;

IFX_FN u32 light_choose(const View *view, Random *random) {
    u32 count = view->frame->light_count;
    float place = random_draw(random) * (float)count;
    u32 i = f_to_index(place, count);
    const Light *light = view->lights + view->frame->first_light + i;
    if (random_draw(random) >= light->threshold) {
        i = light->alias;
    }
    return view->frame->first_light + i;
}

IFX_FN void light_sample_triangle(const View *view, const Light *light, V3 from, Random *random,
                                  LightSample *s, Budget *budget) {
    float root = f_sqrt(random_draw(random));
    float v = random_draw(random) * root;
    float u = 1.0f - root;
    const Instance *instance = view->instances + light->instance;
    Patch p = patch_at(view, light->triangle, u, v);
    Corners c = corners_of(view, instance, light->triangle);
    V3 cross = corners_normal(&c, instance);
    float twice_area = v3_length(cross);
    V3 at = patch_blend(&p, c.corner[0], c.corner[1], c.corner[2]);
    V3 to = v3_sub(at, from);
    float square = v3_dot(to, to);
    float distance = f_sqrt(square);
    s->direction = v3_scale(to, 1.0f / distance);
    s->distance = distance;
    float cosine = -v3_dot(cross, s->direction) / twice_area;
    if (p.material->flags & IFX_MATERIAL_DOUBLE_SIDED) {
        cosine = f_abs(cosine);
    }
    if (!(cosine > 1e-6f) || !(square > 0.0f) || !(square <= F_MAX)) {
        return;
    }
    s->pdf = light->pick * square / (cosine * twice_area * 0.5f);
    s->radiance = surface_emission(view, &p, budget);
}

IFX_FN void light_sample_point(const Light *light, V3 from, LightSample *s) {
    V3 to = v3_sub(v3_of(light->position), from);
    float square = v3_dot(to, to);
    if (!(square > 0.0f) || !(square <= F_MAX)) {
        return;
    }
    s->distance = f_sqrt(square);
    s->direction = v3_scale(to, 1.0f / s->distance);
    float factor = 1.0f / square;
    if (light->range > 0.0f) {
        float part = s->distance / light->range;
        float part2 = part * part;
        factor = factor * f_clamp(1.0f - part2 * part2, 0.0f, 1.0f);
    }
    if (light->kind == IFX_LIGHT_SPOT) {
        float cosine = -v3_dot(v3_of(light->direction), s->direction);
        float edge = f_clamp(cosine * light->cone_scale + light->cone_offset, 0.0f, 1.0f);
        factor = factor * edge * edge;
    }
    s->radiance = v3_scale(v3_of(light->color), factor);
    s->pdf = light->pick;
    s->is_point = 1;
}

IFX_COLD void light_sample(const View *view, V3 from, Random *random, LightSample *s, Budget *budget) {
    budget->left -= (i32)COST_LIGHT;
    s->pdf = 0.0f;
    s->is_point = 0;
    const Light *light = view->lights + light_choose(view, random);
    switch (light->kind) {
    case IFX_LIGHT_TRIANGLE:
        light_sample_triangle(view, light, from, random, s, budget);
        break;
    case IFX_LIGHT_POINT:
    case IFX_LIGHT_SPOT:
        light_sample_point(light, from, s);
        break;
    case IFX_LIGHT_SUN:
        s->direction = v3_neg(v3_of(light->direction));
        s->distance = f_infinity();
        s->radiance = v3_of(light->color);
        s->pdf = light->pick;
        s->is_point = 1;
        break;
    default:
        s->direction = sky_sample(view, random, &s->pdf);
        s->distance = f_infinity();
        s->pdf = s->pdf * light->pick;
        s->radiance = sky_radiance(view, s->direction, budget);
        break;
    }
}

/* Density with which light_sample draws the point of a surface that was met at `distance`. */
IFX_FN float light_pdf(const View *view, const Surface *s, V3 direction, float distance) {
    if (s->light == IFX_NONE) {
        return 0.0f;
    }
    float cosine = f_abs(v3_dot(s->normal, direction));
    return view->lights[s->light].pick * distance * distance / (cosine * s->area);
}

/* The power heuristic: the weight of a sample of density `own` that `other` could have drawn. */
IFX_FN float light_weight(float own, float other) {
    float ratio = other / own;
    return 1.0f / (1.0f + ratio * ratio);
}

#endif
