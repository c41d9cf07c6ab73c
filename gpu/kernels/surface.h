/* From a hit to what stands there: its place, its frame, its material. */
#ifndef IFX_SURFACE_H
#define IFX_SURFACE_H

#include "random.h"
#include "texture.h"

typedef struct {
    V3 position;
    V3 normal;    /* geometric, outwards, of length 1 */
    Basis basis;  /* of the shading normal, on the side of the viewer */
    V3 base;
    V3 emissive;  /* towards the viewer */
    V3 absorption;
    float alpha;  /* GGX width */
    float metallic;
    float transmission;
    float ior;
    int is_back;
    int is_thin;
    u32 light; /* absolute index, or IFX_NONE */
    float area; /* of the triangle in the world, where it is a light */
} Surface;

/* A triangle's corners and the weights of a point in it. */
typedef struct {
    const Vertex *corner[3];
    float weight[3];
    const Material *material;
    float uv[2][2];
} Patch;

IFX_FN Patch patch_at(const View *view, u32 triangle, float u, float v) {
    const Triangle *t = view->triangles + triangle;
    Patch p;
    p.weight[0] = 1.0f - u - v, p.weight[1] = u, p.weight[2] = v;
    for (u32 i = 0; i < 3; i++) {
        p.corner[i] = view->vertices + t->vertex[i];
    }
    for (u32 i = 0; i < 4; i++) {
        u32 set = i >> 1, axis = i & 1;
        p.uv[set][axis] = p.corner[0]->uv[set][axis] * p.weight[0] +
                          p.corner[1]->uv[set][axis] * u + p.corner[2]->uv[set][axis] * v;
    }
    p.material = view->materials + t->material;
    return p;
}

IFX_FN V3 patch_blend(const Patch *p, V3 a, V3 b, V3 c) {
    return v3_blend(a, b, c, p->weight[0], p->weight[1], p->weight[2]);
}

/* The vertex color at the point, alpha included. */
IFX_FN Rgba patch_color(const Patch *p) {
    float c[4];
    for (u32 i = 0; i < 4; i++) {
        float sum = 0.0f;
        for (u32 k = 0; k < 3; k++) {
            sum = sum + (float)(p->corner[k]->color >> (8 * i) & 255) * p->weight[k];
        }
        c[i] = sum * (1.0f / 255.0f);
    }
    Rgba color = {c[0], c[1], c[2], c[3]};
    return color;
}

/* Whether a ray goes on behind the hit, through a hole or by the chance that coverage leaves it. */
IFX_COLD int surface_is_passed(const View *view, const Hit *hit, Random *random, Budget *budget) {
    const Material *m = view->materials + view->triangles[hit->triangle].material;
    if (!(m->flags & (IFX_MATERIAL_MASK | IFX_MATERIAL_BLEND))) {
        return 0;
    }
    Patch p = patch_at(view, hit->triangle, hit->u, hit->v);
    float alpha = m->base_color[3] * patch_color(&p).a;
    alpha = alpha * texture_read(view, &m->base_color_map, p.uv, budget).a;
    float cutoff = m->flags & IFX_MATERIAL_MASK ? m->alpha_cutoff : random_draw(random);
    /* A draw of 0 meets a surface of alpha 0 otherwise. */
    return alpha < cutoff || !(alpha > 0.0f);
}

/* The corners of a triangle, in the world. */
typedef struct {
    V3 corner[3];
} Corners;

IFX_FN Corners corners_of(const View *view, const Instance *instance, u32 triangle) {
    const Triangle *t = view->triangles + triangle;
    Corners c;
    for (u32 i = 0; i < 3; i++) {
        c.corner[i] = v3_of(view->vertices[t->vertex[i]].position);
        if (!(instance->flags & IFX_INSTANCE_IDENTITY)) {
            c.corner[i] = m34_point(instance->to_world, c.corner[i]);
        }
    }
    return c;
}

/* Twice the area long. A mirroring instance keeps its outside outside. */
IFX_FN V3 corners_normal(const Corners *c, const Instance *instance) {
    V3 n = v3_cross(v3_sub(c->corner[1], c->corner[0]), v3_sub(c->corner[2], c->corner[0]));
    if (instance->flags & IFX_INSTANCE_MIRRORED) {
        return v3_neg(n);
    }
    return n;
}

IFX_FN V3 surface_to_world(const Instance *instance, V3 normal) {
    if (instance->flags & IFX_INSTANCE_IDENTITY) {
        return normal;
    }
    return m34_normal(instance->to_object, normal);
}

/* Bends the shading normal by the material's normal map. */
IFX_FN V3 surface_bend(const View *view, const Patch *p, const Instance *instance, V3 normal,
                       Budget *budget) {
    const Material *m = p->material;
    if (m->normal_map.texture == IFX_NONE) {
        return normal;
    }
    Rgba c = texture_read(view, &m->normal_map, p->uv, budget);
    V3 tangent = patch_blend(p, v3_of(p->corner[0]->tangent), v3_of(p->corner[1]->tangent),
                             v3_of(p->corner[2]->tangent));
    if (!(instance->flags & IFX_INSTANCE_IDENTITY)) {
        tangent = m34_vector(instance->to_world, tangent);
    }
    tangent = v3_sub(tangent, v3_scale(normal, v3_dot(normal, tangent)));
    tangent = v3_unit_or(tangent, v3(0.0f, 0.0f, 0.0f));
    if (v3_dot(tangent, tangent) == 0.0f) {
        return normal;
    }
    float sign = p->corner[0]->tangent[3] < 0.0f ? -1.0f : 1.0f;
    if (instance->flags & IFX_INSTANCE_MIRRORED) {
        sign = -sign;
    }
    V3 bitangent = v3_scale(v3_cross(normal, tangent), sign);
    float x = (c.r * 2.0f - 1.0f) * m->normal_scale;
    float y = (c.g * 2.0f - 1.0f) * m->normal_scale;
    float z = c.b * 2.0f - 1.0f;
    return v3_unit_or(v3_blend(tangent, bitangent, normal, x, y, z), normal);
}

IFX_FN V3 surface_emission(const View *view, const Patch *p, Budget *budget) {
    V3 emissive = v3_of(p->material->emissive);
    if (v3_max(emissive) == 0.0f) {
        return emissive;
    }
    Rgba c = texture_read(view, &p->material->emissive_map, p->uv, budget);
    return v3_mul(emissive, v3(c.r, c.g, c.b));
}

/* The factors of the material times its textures. */
IFX_FN void surface_material(const View *view, const Patch *p, Surface *s, Budget *budget) {
    const Material *m = p->material;
    Rgba color = patch_color(p);
    Rgba base = texture_read(view, &m->base_color_map, p->uv, budget);
    s->base = v3(f_clamp(m->base_color[0] * base.r * color.r, 0.0f, 1.0f),
                 f_clamp(m->base_color[1] * base.g * color.g, 0.0f, 1.0f),
                 f_clamp(m->base_color[2] * base.b * color.b, 0.0f, 1.0f));
    Rgba mr = texture_read(view, &m->metallic_roughness_map, p->uv, budget);
    float roughness = m->roughness * mr.g;
    s->alpha = f_clamp(roughness * roughness, 0.002f, 1.0f);
    s->metallic = m->metallic * mr.b;
    s->transmission = m->transmission;
    if (m->transmission > 0.0f) {
        s->transmission = m->transmission * texture_read(view, &m->transmission_map, p->uv, budget).r;
    }
    s->transmission = s->transmission * (1.0f - s->metallic);
    s->ior = m->ior;
    s->absorption = v3_of(m->absorption);
    s->is_thin = (m->flags & IFX_MATERIAL_THIN) != 0;
}

/* `direction` is the ray's. */
IFX_COLD void surface_at(const View *view, const Hit *hit, V3 direction, Surface *s, Budget *budget) {
    budget->left -= (i32)COST_SURFACE;
    const Instance *instance = view->instances + hit->instance;
    const Mesh *mesh = view->meshes + instance->mesh;
    Patch p = patch_at(view, hit->triangle, hit->u, hit->v);
    Corners c = corners_of(view, instance, hit->triangle);
    V3 cross = corners_normal(&c, instance);
    float twice_area = v3_length(cross);
    s->position = patch_blend(&p, c.corner[0], c.corner[1], c.corner[2]);
    s->normal = v3_unit_or(cross, v3_neg(direction));
    s->is_back = v3_dot(s->normal, direction) > 0.0f;

    V3 smooth = patch_blend(&p, v3_of(p.corner[0]->normal), v3_of(p.corner[1]->normal),
                            v3_of(p.corner[2]->normal));
    V3 shading = v3_unit_or(surface_to_world(instance, smooth), s->normal);
    shading = surface_bend(view, &p, instance, shading, budget);
    V3 facing = s->is_back ? v3_neg(s->normal) : s->normal;
    shading = s->is_back ? v3_neg(shading) : shading;
    /* A shading normal that looks away from the viewer has nothing to say about this view. */
    if (!(v3_dot(shading, direction) < -1e-4f)) {
        shading = facing;
    }
    s->basis = basis_of(shading);
    surface_material(view, &p, s, budget);

    s->emissive = v3(0.0f, 0.0f, 0.0f);
    s->light = IFX_NONE;
    s->area = twice_area * 0.5f;
    if (!s->is_back || (p.material->flags & IFX_MATERIAL_DOUBLE_SIDED)) {
        s->emissive = surface_emission(view, &p, budget);
        if (hit->triangle >= mesh->first_emissive) {
            s->light = instance->first_light + (hit->triangle - mesh->first_emissive);
        }
    }
}

/* A point that a ray may leave from to the side of `normal` without meeting its own surface: moved by some
 * units in the last place, or by a fixed step near the origin of the world.
 * Waechter and Binder, A Fast and Robust Method for Avoiding Self-Intersection, Ray Tracing Gems, 2019. */
IFX_FN float offset_axis(float p, float n) {
    if (!f_is_finite(p)) {
        return p;
    }
    if (f_abs(p) < 0.03125f) {
        return p + n * 1.52587890625e-5f;
    }
    i32 steps = f_to_i32(n * 256.0f);
    u32 bits = f_to_bits(p);
    return f_from_bits(p < 0.0f ? bits - (u32)steps : bits + (u32)steps);
}
IFX_FN V3 offset_origin(V3 p, V3 normal) {
    return v3(offset_axis(p.x, normal.x), offset_axis(p.y, normal.y), offset_axis(p.z, normal.z));
}

#endif
