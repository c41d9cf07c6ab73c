/* From a pixel to a ray. */
#ifndef IFX_CAMERA_H
#define IFX_CAMERA_H

#include "math.h"
#include "random.h"
#include "trace.h"

/* An offset within the filter's width, in pixels from the pixel's center, distributed as the filter. */
IFX_FN float camera_offset(u32 filter, float u) {
    if (filter == IFX_FILTER_BOX) {
        return u - 0.5f;
    }
    if (u < 0.5f) {
        return f_sqrt(2.0f * u) - 1.0f;
    }
    return 1.0f - f_sqrt(2.0f * (1.0f - u));
}

IFX_FN Camera camera_of(const View *view, const RenderParams *params) {
    if (!(params->flags & IFX_PARAMS_CAMERA)) {
        return view->cameras[view->frame->first_camera + params->camera];
    }
    Camera own;
    for (u32 i = 0; i < 12; i++) {
        own.to_world[i] = params->camera_to_world[i];
    }
    own.kind = IFX_CAMERA_PERSPECTIVE;
    own.tan_half_yfov = params->camera_tan_half_yfov;
    own.lens_radius = 0.0f;
    own.focus_distance = 1.0f;
    return own;
}

IFX_COLD void camera_ray(const Camera *camera, const RenderParams *params, u32 x, u32 y, Random *random,
                         Ray *ray) {
    float px = (float)x + 0.5f + camera_offset(params->filter, random_draw(random));
    float py = (float)y + 0.5f + camera_offset(params->filter, random_draw(random));
    float width = (float)params->width, height = (float)params->height;
    float sx = (px * 2.0f - width) / height * camera->tan_half_yfov;
    float sy = (height - py * 2.0f) / height * camera->tan_half_yfov;
    V3 origin = v3(0.0f, 0.0f, 0.0f);
    V3 direction = v3(sx, sy, -1.0f);
    if (camera->kind == IFX_CAMERA_ORTHOGRAPHIC) {
        origin = v3(sx, sy, 0.0f);
        direction = v3(0.0f, 0.0f, -1.0f);
    }
    if (camera->lens_radius > 0.0f) {
        SineCosine phi = m_sine_cosine_turn(random_draw(random));
        float radius = f_sqrt(random_draw(random)) * camera->lens_radius;
        V3 focus = v3_add(origin, v3_scale(direction, camera->focus_distance));
        origin.x = origin.x + radius * phi.cosine;
        origin.y = origin.y + radius * phi.sine;
        direction = v3_sub(focus, origin);
    }
    ray->origin = m34_point(camera->to_world, origin);
    ray->direction = v3_unit_or(m34_vector(camera->to_world, direction), v3(0.0f, 0.0f, -1.0f));
    ray->t_min = 0.0f;
    ray->t_max = f_infinity();
}

#endif
