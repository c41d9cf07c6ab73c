/* One path: light gathered along a random walk from the camera.
 *
 * At each surface a light is drawn (next-event estimation) and a direction is drawn; where both could have
 * found the same light, the power heuristic weighs them. */
#ifndef IFX_PATH_H
#define IFX_PATH_H

#include "camera.h"
#include "light.h"
#include "scatter.h"

/* Surfaces with holes that a ray may pass, at most: the next one it meets as if it were opaque. */
#define PASSES_MAX 16

/* Surfaces before Russian roulette begins. */
#define ROULETTE_FROM 3u

typedef struct {
    V3 radiance; /* gathered so far */
    V3 weight;   /* of what is still to come */
    float index_scale; /* how far refraction has squeezed the weight */
    float scatter_pdf; /* of the last direction; 0: it came from the camera */
    Ray ray;
    Random random;
    Budget budget;
} Path;

/* The closest surface that is no hole there. */
IFX_FN void path_trace(const View *view, Path *path, Hit *hit) {
    trace_closest(view, &path->ray, hit, &path->budget);
    if (!(view->header->flags & IFX_SCENE_CUTOUT)) {
        return;
    }
    Ray ray = path->ray;
    for (u32 i = 0; i < PASSES_MAX && hit->triangle != IFX_NONE && path->budget.left >= 0; i++) {
        if (!surface_is_passed(view, hit, &path->random, &path->budget)) {
            return;
        }
        ray.t_min = hit->t;
        trace_closest(view, &ray, hit, &path->budget);
    }
}

/* Whether something stands in the way of `ray`. */
IFX_FN int path_is_blocked(const View *view, Path *path, Ray *ray) {
    Hit hit;
    if (!trace_any(view, ray, &hit, &path->budget)) {
        return 0;
    }
    if (!(view->header->flags & IFX_SCENE_CUTOUT)) {
        return 1;
    }
    const Material *m = view->materials + view->triangles[hit.triangle].material;
    if (!(m->flags & (IFX_MATERIAL_MASK | IFX_MATERIAL_BLEND))) {
        return 1;
    }
    for (u32 i = 0; i < PASSES_MAX && path->budget.left >= 0; i++) {
        trace_closest(view, ray, &hit, &path->budget);
        if (hit.triangle == IFX_NONE) {
            return 0;
        }
        if (!surface_is_passed(view, &hit, &path->random, &path->budget)) {
            return 1;
        }
        ray->t_min = hit.t;
    }
    return 1;
}

IFX_FN void path_add(Path *path, V3 radiance, float factor) {
    path->radiance = v3_add(path->radiance, v3_scale(v3_mul(path->weight, radiance), factor));
}

/* A ray from a surface, leaving on the side that `direction` points to. */
IFX_FN Ray path_leave(const Surface *s, V3 direction, float t_max) {
    V3 side = v3_dot(s->normal, direction) < 0.0f ? v3_neg(s->normal) : s->normal;
    Ray ray;
    ray.origin = offset_origin(s->position, side);
    ray.direction = direction;
    ray.t_min = 0.0f;
    ray.t_max = t_max;
    return ray;
}

/* Whether the shading normal and the true one agree about the side of `direction`: else light would leak
 * through the surface. */
IFX_FN int path_is_honest(const Surface *s, V3 direction, float local_z) {
    V3 facing = s->is_back ? v3_neg(s->normal) : s->normal;
    return (v3_dot(facing, direction) > 0.0f) == (local_z > 0.0f);
}

IFX_FN void path_meet_light(const View *view, Path *path, const Surface *s, float distance) {
    if (!(v3_max(s->emissive) > 0.0f)) {
        return;
    }
    float weight = 1.0f;
    if (path->scatter_pdf > 0.0f) {
        float pdf = light_pdf(view, s, path->ray.direction, distance);
        weight = light_weight(path->scatter_pdf, pdf);
    }
    path_add(path, s->emissive, weight);
}

IFX_FN void path_meet_sky(const View *view, Path *path) {
    V3 radiance = sky_radiance(view, path->ray.direction, &path->budget);
    float weight = 1.0f;
    if (path->scatter_pdf > 0.0f) {
        weight = light_weight(path->scatter_pdf, sky_pdf(view, path->ray.direction));
    }
    path_add(path, radiance, weight);
}

IFX_FN void path_draw_light(const View *view, Path *path, const Surface *s, const Lobes *lobes, V3 wo) {
    if (view->frame->light_count == 0) {
        return;
    }
    LightSample light;
    light_sample(view, s->position, &path->random, &light, &path->budget);
    if (!(light.pdf > 0.0f) || !(v3_max(light.radiance) > 0.0f)) {
        return;
    }
    V3 wi = basis_enter(&s->basis, light.direction);
    if (!path_is_honest(s, light.direction, wi.z)) {
        return;
    }
    Scatter scatter = scatter_evaluate(lobes, wo, wi);
    if (!(v3_max(scatter.value) > 0.0f)) {
        return;
    }
    Ray ray = path_leave(s, light.direction, light.distance * 0.9995f);
    if (path_is_blocked(view, path, &ray)) {
        return;
    }
    float weight = light.is_point ? 1.0f : light_weight(light.pdf, scatter.pdf);
    path_add(path, v3_mul(scatter.value, light.radiance), weight / light.pdf);
}

/* Draws the next direction. Returns whether the path goes on. */
IFX_FN int path_scatter(Path *path, const Surface *s, const Lobes *lobes, V3 wo) {
    path->budget.left -= (i32)COST_SCATTER;
    V3 wi = v3_unit_or(scatter_sample(lobes, wo, &path->random), v3(0.0f, 0.0f, 0.0f));
    V3 direction = basis_leave(&s->basis, wi);
    Scatter scatter = scatter_evaluate(lobes, wo, wi);
    if (!(scatter.pdf > 0.0f) || !path_is_honest(s, direction, wi.z)) {
        return 0;
    }
    path->weight = v3_mul(path->weight, v3_scale(scatter.value, 1.0f / scatter.pdf));
    if (wi.z < 0.0f && !lobes->is_thin) {
        path->index_scale = path->index_scale * lobes->eta * lobes->eta;
    }
    path->scatter_pdf = scatter.pdf;
    path->ray = path_leave(s, v3_unit_or(direction, s->normal), f_infinity());
    return v3_max(path->weight) > 0.0f;
}

/* Ends faint paths by chance, and pays the others for the risk. */
IFX_FN int path_survives(Path *path) {
    float chance = f_clamp(v3_max(path->weight) * path->index_scale, 0.05f, 0.95f);
    if (random_draw(&path->random) >= chance) {
        return 0;
    }
    path->weight = v3_scale(path->weight, 1.0f / chance);
    return 1;
}

/* What the volume lets through that the ray has crossed to meet the back of its surface. */
IFX_FN void path_absorb(Path *path, const Surface *s, float distance) {
    if (!s->is_back || s->is_thin || !(s->transmission > 0.0f)) {
        return;
    }
    V3 a = v3_scale(s->absorption, -distance);
    path->weight = v3_mul(path->weight, v3(m_exp(a.x), m_exp(a.y), m_exp(a.z)));
}

IFX_FN void path_walk(const View *view, Path *path, u32 max_depth) {
    for (u32 depth = 0;; depth++) {
        Hit hit;
        path_trace(view, path, &hit);
        if (path->budget.left < 0) {
            return;
        }
        if (hit.triangle == IFX_NONE) {
            path_meet_sky(view, path);
            return;
        }
        Surface s;
        surface_at(view, &hit, path->ray.direction, &s, &path->budget);
        path_absorb(path, &s, hit.t);
        path_meet_light(view, path, &s, hit.t);
        if (depth == max_depth) {
            return;
        }
        V3 wo = basis_enter(&s.basis, v3_neg(path->ray.direction));
        wo.z = f_max(wo.z, 1e-4f);
        Lobes lobes = lobes_of(&s, wo.z);
        path_draw_light(view, path, &s, &lobes, wo);
        if (!path_scatter(path, &s, &lobes, wo) || path->budget.left < 0) {
            return;
        }
        if (depth >= ROULETTE_FROM && !path_survives(path)) {
            return;
        }
    }
}

/* Renders one path of a pixel. Returns its cost, PATH_COST_MAX at most. */
IFX_FN u32 path_render(const View *view, const Camera *camera, const RenderParams *params, u32 frame,
                       u32 x, u32 y, u32 sample, V3 *radiance) {
    Path path;
    random_begin(&path.random, params, frame, y * params->width + x, sample);
    path.radiance = v3(0.0f, 0.0f, 0.0f);
    path.weight = v3(1.0f, 1.0f, 1.0f);
    path.index_scale = 1.0f;
    path.scatter_pdf = 0.0f;
    path.budget.left = (i32)(PATH_COST_MAX - COST_PATH);
    camera_ray(camera, params, x, y, &path.random, &path.ray);
    path_walk(view, &path, params->max_depth);
    /* One bad number must not take a pixel with it. */
    if (!v3_is_finite(path.radiance)) {
        path.radiance = v3(0.0f, 0.0f, 0.0f);
    }
    if (params->radiance_clamp > 0.0f) {
        V3 r = path.radiance;
        float top = params->radiance_clamp;
        path.radiance = v3(f_min(r.x, top), f_min(r.y, top), f_min(r.z, top));
    }
    *radiance = path.radiance;
    return path.budget.left < 0 ? PATH_COST_MAX : PATH_COST_MAX - (u32)path.budget.left;
}

#endif
