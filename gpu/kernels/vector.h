/* Vectors of three, rows of four, and frames of reference. */
#ifndef IFX_VECTOR_H
#define IFX_VECTOR_H

#include "float.h"

typedef struct {
    float x, y, z;
} V3;

IFX_FN V3 v3(float x, float y, float z) {
    V3 v = {x, y, z};
    return v;
}
IFX_FN V3 v3_of(const float *p) { return v3(p[0], p[1], p[2]); }
IFX_FN V3 v3_add(V3 a, V3 b) { return v3(a.x + b.x, a.y + b.y, a.z + b.z); }
IFX_FN V3 v3_sub(V3 a, V3 b) { return v3(a.x - b.x, a.y - b.y, a.z - b.z); }
IFX_FN V3 v3_mul(V3 a, V3 b) { return v3(a.x * b.x, a.y * b.y, a.z * b.z); }
IFX_FN V3 v3_scale(V3 a, float s) { return v3(a.x * s, a.y * s, a.z * s); }
IFX_FN V3 v3_neg(V3 a) { return v3(-a.x, -a.y, -a.z); }
IFX_FN float v3_dot(V3 a, V3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
IFX_FN V3 v3_cross(V3 a, V3 b) {
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
IFX_FN float v3_length(V3 a) { return f_sqrt(v3_dot(a, a)); }
IFX_FN float v3_max(V3 a) { return f_max(a.x, f_max(a.y, a.z)); }
IFX_FN float v3_luminance(V3 a) { return 0.2126f * a.x + 0.7152f * a.y + 0.0722f * a.z; }
IFX_FN int v3_is_finite(V3 a) { return f_is_finite(a.x) && f_is_finite(a.y) && f_is_finite(a.z); }
IFX_FN V3 v3_lerp(V3 a, V3 b, float t) { return v3_add(v3_scale(a, 1.0f - t), v3_scale(b, t)); }

/* Of length 1, or `otherwise` where `a` has no direction. */
IFX_FN V3 v3_unit_or(V3 a, V3 otherwise) {
    float square = v3_dot(a, a);
    if (!(square > 1e-36f) || !(square <= F_MAX)) {
        return otherwise;
    }
    return v3_scale(a, 1.0f / f_sqrt(square));
}

/* a x u + b x v + c x w */
IFX_FN V3 v3_blend(V3 a, V3 b, V3 c, float u, float v, float w) {
    return v3(a.x * u + b.x * v + c.x * w, a.y * u + b.y * v + c.y * w, a.z * u + b.z * v + c.z * w);
}

IFX_FN V3 m34_point(const float *m, V3 p) {
    return v3(m[0] * p.x + m[1] * p.y + m[2] * p.z + m[3], m[4] * p.x + m[5] * p.y + m[6] * p.z + m[7],
              m[8] * p.x + m[9] * p.y + m[10] * p.z + m[11]);
}
IFX_FN V3 m34_vector(const float *m, V3 v) {
    return v3(m[0] * v.x + m[1] * v.y + m[2] * v.z, m[4] * v.x + m[5] * v.y + m[6] * v.z,
              m[8] * v.x + m[9] * v.y + m[10] * v.z);
}
/* By the transposed linear part: a normal, where `m` is the inverse of what moves points. */
IFX_FN V3 m34_normal(const float *m, V3 n) {
    return v3(m[0] * n.x + m[4] * n.y + m[8] * n.z, m[1] * n.x + m[5] * n.y + m[9] * n.z,
              m[2] * n.x + m[6] * n.y + m[10] * n.z);
}

/* A right-handed frame around its z. */
typedef struct {
    V3 x, y, z;
} Basis;

/* Duff et al., Building an Orthonormal Basis, Revisited, 2017. */
IFX_FN Basis basis_of(V3 z) {
    float sign = z.z < 0.0f ? -1.0f : 1.0f;
    float a = -1.0f / (sign + z.z);
    float b = z.x * z.y * a;
    Basis basis;
    basis.x = v3(1.0f + sign * z.x * z.x * a, sign * b, -sign * z.x);
    basis.y = v3(b, sign + z.y * z.y * a, -z.y);
    basis.z = z;
    return basis;
}
IFX_FN V3 basis_enter(const Basis *b, V3 v) {
    return v3(v3_dot(b->x, v), v3_dot(b->y, v), v3_dot(b->z, v));
}
IFX_FN V3 basis_leave(const Basis *b, V3 v) { return v3_blend(b->x, b->y, b->z, v.x, v.y, v.z); }

#endif
