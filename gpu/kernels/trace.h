/* Rays against the scene's trees: the closest hit, or any.
 *
 * The order of the walk is part of the result, since it decides the cost: children are visited by
 * (entry distance, reference), nearest first, on every target. The hit itself does not depend on it: of
 * hits at the same distance the lowest (instance, triangle) wins, and boxes have slack.
 *
 * A walk ends, whatever the rays' numbers: the validator has seen that every node has one parent before
 * it, and the budget ends it earlier. */
#ifndef IFX_TRACE_H
#define IFX_TRACE_H

#include "cost.h"
#include "lanes.h"
#include "vector.h"
#include "view.h"

typedef struct {
    V3 origin;
    float t_min; /* hits beyond it count, not at it */
    V3 direction;
    float t_max;
} Ray;

typedef struct {
    float t;
    float u; /* weight of the second corner */
    float v; /* weight of the third */
    u32 triangle; /* IFX_NONE: nothing was hit */
    u32 instance;
} Hit;

/* What a path may still spend. Below zero it has to end. */
typedef struct {
    i32 left;
} Budget;

#define STACK_SIZE (IFX_TREE_DEPTH_MAX * 7 + 2)

/* What a walk needs of a ray in the space of a tree. */
typedef struct {
    V3 origin;
    V3 direction;
    V3 inverse;
    float t_min;
    u32 near_x, near_y, near_z; /* which of the node's six planes the ray meets first */
} Walk;

IFX_FN float walk_inverse(float d) {
    /* Finite, so that a box edge in the ray's plane gives no NaN. */
    if (f_abs(d) < 1e-18f) {
        return d < 0.0f ? -1e18f : 1e18f;
    }
    return 1.0f / d;
}

IFX_FN Walk walk_begin(V3 origin, V3 direction, float t_min) {
    Walk w;
    w.origin = origin;
    w.direction = direction;
    w.inverse =
        v3(walk_inverse(direction.x), walk_inverse(direction.y), walk_inverse(direction.z));
    w.t_min = t_min;
    w.near_x = w.inverse.x < 0.0f ? 3 : 0;
    w.near_y = w.inverse.y < 0.0f ? 4 : 1;
    w.near_z = w.inverse.z < 0.0f ? 5 : 2;
    return w;
}

/* Planes 0 to 2 are lo, 3 to 5 hi. */
IFX_FN const float *node_plane(const Node *node, u32 plane) { return &node->lo[0][0] + plane * 8; }
IFX_FN u32 far_of(u32 near) { return near < 3 ? near + 3 : near - 3; }

#if defined(IFX_LANES_SCALAR)

/* A mask of the children that the ray enters before t_max, and where. */
IFX_FN u32 node_hits(const Node *node, const Walk *w, float t_max, float *entry) {
    const float *x0 = node_plane(node, w->near_x), *x1 = node_plane(node, far_of(w->near_x));
    const float *y0 = node_plane(node, w->near_y), *y1 = node_plane(node, far_of(w->near_y));
    const float *z0 = node_plane(node, w->near_z), *z1 = node_plane(node, far_of(w->near_z));
    u32 mask = 0;
    for (u32 i = 0; i < 8; i++) {
        float enter = f_max((x0[i] - w->origin.x) * w->inverse.x, w->t_min);
        float leave = f_min((x1[i] - w->origin.x) * w->inverse.x, t_max);
        enter = f_max((y0[i] - w->origin.y) * w->inverse.y, enter);
        leave = f_min((y1[i] - w->origin.y) * w->inverse.y, leave);
        enter = f_max((z0[i] - w->origin.z) * w->inverse.z, enter);
        leave = f_min((z1[i] - w->origin.z) * w->inverse.z, leave);
        entry[i] = enter;
        mask |= (u32)(enter <= leave) << i;
    }
    return mask;
}

/* A mask of the triangles whose plane the ray meets inside of them; what it takes to tell where. */
IFX_FN u32 pack_hits(const Pack *p, const Walk *w, float *u, float *v, float *t, float *det) {
    u32 mask = 0;
    V3 d = w->direction;
    for (u32 i = 0; i < 8; i++) {
        V3 e1 = v3(p->e1[0][i], p->e1[1][i], p->e1[2][i]);
        V3 e2 = v3(p->e2[0][i], p->e2[1][i], p->e2[2][i]);
        V3 v0 = v3(p->v0[0][i], p->v0[1][i], p->v0[2][i]);
        V3 pvec = v3_cross(d, e2);
        float signed_det = v3_dot(e1, pvec);
        int is_back = (f_to_bits(signed_det) >> 31) != 0;
        V3 tvec = v3_sub(w->origin, v0);
        float weight_u = v3_dot(tvec, pvec);
        weight_u = is_back ? -weight_u : weight_u;
        float size = is_back ? -signed_det : signed_det;
        /* What follows can only refuse: leaving early changes no bit. */
        if (!(weight_u >= 0.0f && size > 0.0f)) {
            continue;
        }
        V3 qvec = v3_cross(tvec, e1);
        float weight_v = v3_dot(d, qvec);
        weight_v = is_back ? -weight_v : weight_v;
        if (!(weight_v >= 0.0f && weight_u + weight_v <= size)) {
            continue;
        }
        float distance = v3_dot(e2, qvec);
        u[i] = weight_u;
        v[i] = weight_v;
        t[i] = is_back ? -distance : distance;
        det[i] = size;
        mask |= 1u << i;
    }
    return mask;
}

#else

IFX_FN u32 node_hits(const Node *node, const Walk *w, float t_max, float *entry) {
    Lanes ox = lanes_of(w->origin.x), oy = lanes_of(w->origin.y), oz = lanes_of(w->origin.z);
    Lanes ix = lanes_of(w->inverse.x), iy = lanes_of(w->inverse.y), iz = lanes_of(w->inverse.z);
    Lanes x0 = lanes_load(node_plane(node, w->near_x)), x1 = lanes_load(node_plane(node, far_of(w->near_x)));
    Lanes y0 = lanes_load(node_plane(node, w->near_y)), y1 = lanes_load(node_plane(node, far_of(w->near_y)));
    Lanes z0 = lanes_load(node_plane(node, w->near_z)), z1 = lanes_load(node_plane(node, far_of(w->near_z)));
    Lanes enter = lanes_max(lanes_mul(lanes_sub(x0, ox), ix), lanes_of(w->t_min));
    Lanes leave = lanes_min(lanes_mul(lanes_sub(x1, ox), ix), lanes_of(t_max));
    enter = lanes_max(lanes_mul(lanes_sub(y0, oy), iy), enter);
    leave = lanes_min(lanes_mul(lanes_sub(y1, oy), iy), leave);
    enter = lanes_max(lanes_mul(lanes_sub(z0, oz), iz), enter);
    leave = lanes_min(lanes_mul(lanes_sub(z1, oz), iz), leave);
    lanes_store(entry, enter);
    return lanes_le(enter, leave);
}

typedef struct {
    Lanes x, y, z;
} Lanes3;

IFX_FN Lanes3 lanes3_load(const float (*p)[8]) {
    Lanes3 v = {lanes_load(p[0]), lanes_load(p[1]), lanes_load(p[2])};
    return v;
}
IFX_FN Lanes3 lanes3_of(V3 v) {
    Lanes3 all = {lanes_of(v.x), lanes_of(v.y), lanes_of(v.z)};
    return all;
}
IFX_FN Lanes lanes_cross(Lanes a, Lanes b, Lanes c, Lanes d) {
    return lanes_sub(lanes_mul(a, b), lanes_mul(c, d));
}
IFX_FN Lanes3 lanes3_cross(Lanes3 a, Lanes3 b) {
    Lanes3 v = {lanes_cross(a.y, b.z, a.z, b.y), lanes_cross(a.z, b.x, a.x, b.z),
                lanes_cross(a.x, b.y, a.y, b.x)};
    return v;
}
IFX_FN Lanes lanes3_dot(Lanes3 a, Lanes3 b) {
    return lanes_add(lanes_add(lanes_mul(a.x, b.x), lanes_mul(a.y, b.y)), lanes_mul(a.z, b.z));
}

IFX_FN u32 pack_hits(const Pack *p, const Walk *w, float *u, float *v, float *t, float *det) {
    Lanes3 d = lanes3_of(w->direction);
    Lanes3 e1 = lanes3_load(p->e1), e2 = lanes3_load(p->e2), v0 = lanes3_load(p->v0);
    Lanes3 o = lanes3_of(w->origin);
    Lanes3 tvec = {lanes_sub(o.x, v0.x), lanes_sub(o.y, v0.y), lanes_sub(o.z, v0.z)};
    Lanes3 pvec = lanes3_cross(d, e2);
    Lanes signed_det = lanes3_dot(e1, pvec);
    Lanes sign = lanes_sign(signed_det);
    Lanes size = lanes_xor(signed_det, sign);
    Lanes weight_u = lanes_xor(lanes3_dot(tvec, pvec), sign);
    Lanes3 qvec = lanes3_cross(tvec, e1);
    Lanes weight_v = lanes_xor(lanes3_dot(d, qvec), sign);
    u32 mask = lanes_inside(weight_u, weight_v, size);
    if (mask) {
        lanes_store(u, weight_u);
        lanes_store(v, weight_v);
        lanes_store(t, lanes_xor(lanes3_dot(e2, qvec), sign));
        lanes_store(det, size);
    }
    return mask;
}

#endif

IFX_FN u32 mask_first(u32 mask) {
#if defined(__CUDACC__)
    return (u32)(__ffs((int)mask) - 1);
#else
    return (u32)__builtin_ctz(mask);
#endif
}

#define LANE_BUFFER(name) float name[8] __attribute__((aligned(32)))

/* Returns whether the hit changed. */
IFX_FN int pack_trace(const View *view, u32 pack, const Walk *w, u32 instance, Hit *hit) {
    LANE_BUFFER(u);
    LANE_BUFFER(v);
    LANE_BUFFER(t);
    LANE_BUFFER(det);
    const Pack *p = view->packs + pack;
    u32 mask = pack_hits(p, w, u, v, t, det);
    int is_closer = 0;
    while (mask) {
        u32 lane = mask_first(mask);
        mask &= mask - 1;
        float distance = t[lane] / det[lane];
        if (!(distance > w->t_min && distance <= hit->t)) {
            continue;
        }
        u32 id = p->id[lane];
        if (distance == hit->t &&
            !(instance < hit->instance || (instance == hit->instance && id < hit->triangle))) {
            continue;
        }
        hit->t = distance;
        hit->u = u[lane] / det[lane];
        hit->v = v[lane] / det[lane];
        hit->triangle = id;
        hit->instance = instance;
        is_closer = 1;
    }
    return is_closer;
}

/* A stack's entry: the bits of the entry distance above, the reference below. Distances are not negative,
 * so entries order as integers. */
IFX_FN u64 entry_of(float t, u32 ref) { return (u64)f_to_bits(t) << 32 | ref; }

/* Asks for what a reference names, ahead of its turn. */
IFX_FN void ref_prefetch(const View *view, u32 ref) {
#if defined(__SSE2__) && !defined(IFX_SCALAR)
    const u8 *at = ref & IFX_REF_LEAF ? (const u8 *)(view->packs + (ref & IFX_REF_INDEX_MASK))
                                      : (const u8 *)(view->nodes + ref);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    __builtin_prefetch(at + 128);
    __builtin_prefetch(at + 192);
    __builtin_prefetch(at + 256);
#else
    (void)view;
    (void)ref;
#endif
}

/* Puts the children that were hit on the stack, the nearest on top. */
IFX_FN u32 stack_push(const View *view, u64 *stack, u32 top, const Node *node, u32 mask,
                      const float *entry) {
    u32 base = top;
    while (mask) {
        u32 lane = mask_first(mask);
        mask &= mask - 1;
        u64 item = entry_of(entry[lane], node->child[lane]);
        ref_prefetch(view, node->child[lane]);
        u32 at = top++;
        while (at > base && stack[at - 1] < item) {
            stack[at] = stack[at - 1];
            at--;
        }
        stack[at] = item;
    }
    return top;
}

/* Walks a mesh. Returns 1 where `any` is set and something was hit. */
IFX_FN int mesh_trace(const View *view, u32 root, const Walk *w, u32 instance, int any, Hit *hit,
                      Budget *budget) {
    u64 stack[STACK_SIZE];
    LANE_BUFFER(entry);
    u32 top = 0;
    u32 ref = root;
    for (;;) {
        if (ref & IFX_REF_LEAF) {
            u32 pack = ref & IFX_REF_INDEX_MASK;
            u32 end = pack + (ref >> IFX_REF_COUNT_SHIFT & IFX_REF_COUNT_MASK) + 1;
            for (; pack < end; pack++) {
                budget->left -= (i32)COST_PACK;
                if (pack_trace(view, pack, w, instance, hit) && any) {
                    return 1;
                }
            }
        } else {
            const Node *node = view->nodes + ref;
            budget->left -= (i32)COST_NODE;
            u32 mask = node_hits(node, w, hit->t, entry);
            /* One child or two need no sorting: the commonest cases by far. */
            if (mask) {
                u32 lane = mask_first(mask);
                u32 rest = mask & (mask - 1);
                if (rest == 0) {
                    ref = node->child[lane];
                    continue;
                }
                if ((rest & (rest - 1)) == 0) {
                    u32 other = mask_first(rest);
                    u64 first = entry_of(entry[lane], node->child[lane]);
                    u64 second = entry_of(entry[other], node->child[other]);
                    ref_prefetch(view, node->child[lane]);
                    ref_prefetch(view, node->child[other]);
                    stack[top++] = first < second ? second : first;
                    ref = (u32)(first < second ? first : second);
                    continue;
                }
                top = stack_push(view, stack, top, node, mask, entry);
                ref = (u32)stack[--top];
                continue;
            }
        }
        do {
            if (top == 0 || budget->left < 0) {
                return 0;
            }
            top--;
        } while (!(f_from_bits((u32)(stack[top] >> 32)) <= hit->t));
        ref = (u32)stack[top];
    }
}

IFX_FN int instance_trace(const View *view, u32 index, const Ray *ray, int any, Hit *hit,
                          Budget *budget) {
    const Instance *instance = view->instances + index;
    V3 origin = ray->origin;
    V3 direction = ray->direction;
    budget->left -= (i32)COST_INSTANCE;
    if (!(instance->flags & IFX_INSTANCE_IDENTITY)) {
        origin = m34_point(instance->to_object, origin);
        direction = m34_vector(instance->to_object, direction);
    }
    /* With finite numbers no empty lane is ever entered: its planes are infinitely far away. */
    if (!v3_is_finite(origin) || !v3_is_finite(direction)) {
        return 0;
    }
    Walk w = walk_begin(origin, direction, ray->t_min);
    return mesh_trace(view, view->meshes[instance->mesh].root, &w, index, any, hit, budget);
}

IFX_FN int leaf_trace(const View *view, u32 ref, const Ray *ray, int any, Hit *hit, Budget *budget) {
    u32 index = ref & IFX_REF_INDEX_MASK;
    u32 end = index + (ref >> IFX_REF_COUNT_SHIFT & IFX_REF_COUNT_MASK) + 1;
    for (; index < end; index++) {
        if (instance_trace(view, index, ray, any, hit, budget)) {
            return 1;
        }
    }
    return 0;
}

/* Walks the frame's tree of instances. */
IFX_FN int frame_trace(const View *view, const Ray *ray, int any, Hit *hit, Budget *budget) {
    hit->t = ray->t_max;
    hit->u = hit->v = 0.0f;
    hit->triangle = hit->instance = IFX_NONE;
    if (view->frame->instance_count == 0 || !v3_is_finite(ray->origin) ||
        !v3_is_finite(ray->direction)) {
        return 0;
    }
    u32 ref = view->frame->root;
    if (ref & IFX_REF_LEAF) {
        return leaf_trace(view, ref, ray, any, hit, budget);
    }
    u64 stack[STACK_SIZE];
    LANE_BUFFER(entry);
    Walk w = walk_begin(ray->origin, ray->direction, ray->t_min);
    u32 top = 0;
    for (;;) {
        if (ref & IFX_REF_LEAF) {
            if (leaf_trace(view, ref, ray, any, hit, budget)) {
                return 1;
            }
        } else {
            budget->left -= (i32)COST_NODE;
            u32 mask = node_hits(view->nodes + ref, &w, hit->t, entry);
            top = stack_push(view, stack, top, view->nodes + ref, mask, entry);
        }
        do {
            if (top == 0 || budget->left < 0) {
                return 0;
            }
            top--;
        } while (!(f_from_bits((u32)(stack[top] >> 32)) <= hit->t));
        ref = (u32)stack[top];
    }
}

IFX_COLD void trace_closest(const View *view, const Ray *ray, Hit *hit, Budget *budget) {
    frame_trace(view, ray, 0, hit, budget);
}

/* Whether anything is hit; `hit` tells what. */
IFX_COLD int trace_any(const View *view, const Ray *ray, Hit *hit, Budget *budget) {
    return frame_trace(view, ray, 1, hit, budget);
}

#endif
