/* How a surface scatters light, in the frame of its shading normal with the viewer above.
 *
 * A mixture of an opaque part (GGX reflection over a Lambert base, or metal) and, for `transmission` of
 * it, of glass (GGX reflection and refraction). Directions point away from the surface. */
#ifndef IFX_SCATTER_H
#define IFX_SCATTER_H

#include "albedo.h"
#include "math.h"
#include "surface.h"

typedef struct {
    V3 value; /* of the scattering function, times the cosine of the direction */
    float pdf;
} Scatter;

/* What does not depend on the direction of light. */
typedef struct {
    V3 f0;
    V3 diffuse;
    float f90;
    float coat_f0;
    float coat_f90;
    float coat_mean; /* of what passes, over the hemisphere */
    float alpha;
    float transmission;
    float eta; /* index on the far side over index on the viewer's */
    int is_thin;
    V3 base;
    V3 boost;             /* of the reflection, for light that meets the microfacets again */
    float specular_share; /* probability of the reflection in the opaque part */
} Lobes;

IFX_FN float fresnel_schlick(float f0, float f90, float cosine) {
    float x = 1.0f - f_clamp(cosine, 0.0f, 1.0f);
    float x2 = x * x;
    return f0 + (f90 - f0) * (x2 * x2 * x);
}

/* Of a smooth boundary; 1 where everything is reflected. */
IFX_FN float fresnel_dielectric(float cosine, float eta) {
    cosine = f_clamp(cosine, 0.0f, 1.0f);
    float sine2_t = (1.0f - cosine * cosine) / (eta * eta);
    if (!(sine2_t < 1.0f)) {
        return 1.0f;
    }
    float cosine_t = f_sqrt(1.0f - sine2_t);
    float parallel = (eta * cosine - cosine_t) / (eta * cosine + cosine_t);
    float across = (cosine - eta * cosine_t) / (cosine + eta * cosine_t);
    return 0.5f * (parallel * parallel + across * across);
}

/* GGX_ALBEDO between its entries. */
IFX_FN float ggx_albedo(float alpha, float cosine) {
    float row = f_clamp(f_sqrt(alpha), 0.0f, 1.0f) * (float)(ALBEDO_EDGE - 1);
    float column = f_clamp(cosine, 0.0f, 1.0f) * (float)(ALBEDO_EDGE - 1);
    u32 i = f_to_index(row, ALBEDO_EDGE - 1);
    u32 j = f_to_index(column, ALBEDO_EDGE - 1);
    float y = row - (float)i, x = column - (float)j;
    float near = GGX_ALBEDO[i][j] * (1.0f - x) + GGX_ALBEDO[i][j + 1] * x;
    float far = GGX_ALBEDO[i + 1][j] * (1.0f - x) + GGX_ALBEDO[i + 1][j + 1] * x;
    return near * (1.0f - y) + far * y;
}

/* What passes the boundary over the base. Passing twice over the mean leaves the base exactly what the
 * reflection of a smooth boundary does not take (Kelemen and Szirmay-Kalos, 2001). */
IFX_FN float lobes_coat(const Lobes *l, float cosine) {
    return 1.0f - fresnel_schlick(l->coat_f0, l->coat_f90, cosine);
}

IFX_FN Lobes lobes_of(const Surface *s, float cosine) {
    Lobes l;
    float r = (s->ior - 1.0f) / (s->ior + 1.0f);
    l.coat_f0 = r * r;
    /* A boundary without a step of the index reflects nothing at any angle. */
    l.coat_f90 = f_min(1.0f, 50.0f * l.coat_f0);
    /* The fifth power has a mean of 1/21. */
    l.coat_mean = f_max(1.0f - (l.coat_f0 + (l.coat_f90 - l.coat_f0) * (1.0f / 21.0f)), 0.001f);
    V3 plain = v3(l.coat_f0, l.coat_f0, l.coat_f0);
    l.f0 = v3_lerp(plain, s->base, s->metallic);
    l.f90 = f_min(1.0f, 50.0f * v3_max(l.f0));
    /* Turquin, Practical Multiple Scattering Compensation for Microfacet Models, 2019. */
    float lost = 1.0f / ggx_albedo(s->alpha, cosine) - 1.0f;
    l.boost = v3(1.0f + l.f0.x * lost, 1.0f + l.f0.y * lost, 1.0f + l.f0.z * lost);
    l.diffuse = v3_scale(s->base, (1.0f - s->metallic));
    l.alpha = s->alpha;
    l.transmission = s->transmission;
    l.is_thin = s->is_thin;
    l.eta = s->is_back && !s->is_thin ? 1.0f / s->ior : s->ior;
    l.base = s->base;
    float specular = fresnel_schlick(v3_luminance(l.f0), l.f90, cosine);
    float diffuse = v3_luminance(l.diffuse);
    l.specular_share = specular / (specular + diffuse);
    if (!(specular + diffuse > 0.0f)) {
        l.specular_share = 0.5f;
    }
    if (specular > 0.0f && diffuse > 0.0f) {
        l.specular_share = f_clamp(l.specular_share, 0.1f, 0.9f);
    }
    return l;
}

/* The GGX distribution of normals. The form that keeps its accuracy for narrow ones. */
IFX_FN float ggx_density(V3 h, float alpha) {
    float x = h.x / alpha, y = h.y / alpha;
    float s = x * x + y * y + h.z * h.z;
    return F_1_PI / (alpha * alpha * s * s);
}

/* Smith's lambda. */
IFX_FN float ggx_lambda(V3 w, float alpha) {
    float z2 = w.z * w.z;
    float tangent2 = (w.x * w.x + w.y * w.y) / z2;
    return 0.5f * (f_sqrt(1.0f + alpha * alpha * tangent2) - 1.0f);
}

/* A normal visible from `wo`. Dupuy and Benyoub, Sampling Visible GGX Normals with Spherical Caps, 2023. */
IFX_FN V3 ggx_sample(V3 wo, float alpha, float u, float v) {
    V3 up = v3(0.0f, 0.0f, 1.0f);
    V3 w = v3_unit_or(v3(wo.x * alpha, wo.y * alpha, wo.z), up);
    SineCosine phi = m_sine_cosine_turn(u);
    float z = (1.0f - v) * (1.0f + w.z) - w.z;
    float sine = f_sqrt(f_clamp(1.0f - z * z, 0.0f, 1.0f));
    V3 h = v3(sine * phi.cosine + w.x, sine * phi.sine + w.y, z + w.z);
    return v3_unit_or(v3(h.x * alpha, h.y * alpha, f_max(h.z, 0.0f)), up);
}

/* GGX reflection without its Fresnel factor: value times cosine, and density. */
typedef struct {
    float value;
    float pdf;
} Reflection;

IFX_FN Reflection ggx_reflection(V3 wo, V3 wi, V3 h, float alpha) {
    float density = ggx_density(h, alpha);
    float lambda_o = ggx_lambda(wo, alpha);
    float lambda_i = ggx_lambda(wi, alpha);
    float scale = density / (4.0f * wo.z);
    Reflection r = {scale / (1.0f + lambda_o + lambda_i), scale / (1.0f + lambda_o)};
    return r;
}

IFX_FN V3 v3_grey(float x) { return v3(x, x, x); }

IFX_FN Scatter scatter_opaque(const Lobes *l, V3 wo, V3 wi) {
    Scatter s = {{0.0f, 0.0f, 0.0f}, 0.0f};
    if (!(wi.z > 0.0f)) {
        return s;
    }
    V3 h = v3_unit_or(v3_add(wo, wi), v3(0.0f, 0.0f, 1.0f));
    float cosine = v3_dot(wo, h);
    Reflection r = ggx_reflection(wo, wi, h, l->alpha);
    V3 fresnel = v3(fresnel_schlick(l->f0.x, l->f90, cosine), fresnel_schlick(l->f0.y, l->f90, cosine),
                    fresnel_schlick(l->f0.z, l->f90, cosine));
    float lambert = wi.z * F_1_PI;
    float base = lambert * lobes_coat(l, wo.z) * lobes_coat(l, wi.z) / l->coat_mean;
    V3 specular = v3_mul(l->boost, v3_scale(fresnel, r.value));
    s.value = v3_add(specular, v3_scale(l->diffuse, base));
    s.pdf = l->specular_share * r.pdf + (1.0f - l->specular_share) * lambert;
    return s;
}

/* Both boundaries of a pane, with everything that goes to and fro between them. */
IFX_FN float fresnel_pane(float f) { return 2.0f * f / (1.0f + f); }

IFX_FN Scatter scatter_pane(const Lobes *l, V3 wo, V3 wi) {
    V3 mirrored = v3(wi.x, wi.y, f_abs(wi.z));
    V3 h = v3_unit_or(v3_add(wo, mirrored), v3(0.0f, 0.0f, 1.0f));
    Reflection r = ggx_reflection(wo, mirrored, h, l->alpha);
    float f = fresnel_pane(fresnel_dielectric(v3_dot(wo, h), l->eta));
    Scatter s;
    if (wi.z > 0.0f) {
        s.value = v3_grey(f * r.value);
        s.pdf = f * r.pdf;
    } else {
        s.value = v3_scale(l->base, (1.0f - f) * r.value);
        s.pdf = (1.0f - f) * r.pdf;
    }
    return s;
}

/* Walter et al., Microfacet Models for Refraction, 2007. */
IFX_FN Scatter scatter_refracted(const Lobes *l, V3 wo, V3 wi) {
    Scatter none = {{0.0f, 0.0f, 0.0f}, 0.0f};
    V3 h = v3_unit_or(v3_add(wo, v3_scale(wi, l->eta)), v3(0.0f, 0.0f, 0.0f));
    h = h.z < 0.0f ? v3_neg(h) : h;
    float o = v3_dot(wo, h), i = v3_dot(wi, h);
    if (!(o > 0.0f && i < 0.0f)) {
        return none;
    }
    float f = fresnel_dielectric(o, l->eta);
    float lambda_o = ggx_lambda(wo, l->alpha);
    float lambda_i = ggx_lambda(wi, l->alpha);
    float sum = i + o / l->eta;
    float scale = (1.0f - f) * ggx_density(h, l->alpha) * o * -i / (wo.z * sum * sum);
    Scatter s;
    /* Radiance is squeezed by the square of the index. */
    float value = scale / ((1.0f + lambda_o + lambda_i) * l->eta * l->eta);
    s.value = v3_scale(l->base, value);
    s.pdf = scale / (1.0f + lambda_o);
    return s;
}

IFX_FN Scatter scatter_glass(const Lobes *l, V3 wo, V3 wi) {
    if (l->is_thin) {
        return scatter_pane(l, wo, wi);
    }
    if (!(wi.z > 0.0f)) {
        return scatter_refracted(l, wo, wi);
    }
    V3 h = v3_unit_or(v3_add(wo, wi), v3(0.0f, 0.0f, 1.0f));
    Reflection r = ggx_reflection(wo, wi, h, l->alpha);
    float f = fresnel_dielectric(v3_dot(wo, h), l->eta);
    Scatter s = {v3_grey(f * r.value), f * r.pdf};
    return s;
}

/* The whole mixture for one pair of directions. */
IFX_COLD Scatter scatter_evaluate(const Lobes *l, V3 wo, V3 wi) {
    Scatter s = {{0.0f, 0.0f, 0.0f}, 0.0f};
    if (f_abs(wi.z) < 1e-6f) {
        return s;
    }
    if (l->transmission < 1.0f) {
        s = scatter_opaque(l, wo, wi);
        s.value = v3_scale(s.value, 1.0f - l->transmission);
        s.pdf = s.pdf * (1.0f - l->transmission);
    }
    if (l->transmission > 0.0f) {
        Scatter g = scatter_glass(l, wo, wi);
        s.value = v3_add(s.value, v3_scale(g.value, l->transmission));
        s.pdf = s.pdf + g.pdf * l->transmission;
    }
    return s;
}

IFX_FN V3 reflect(V3 wo, V3 h) { return v3_sub(v3_scale(h, 2.0f * v3_dot(wo, h)), wo); }

/* Zero where nothing passes. */
IFX_FN V3 refract(V3 wo, V3 h, float eta) {
    float cosine = v3_dot(wo, h);
    float sine2_t = (1.0f - cosine * cosine) / (eta * eta);
    if (!(sine2_t < 1.0f)) {
        return v3(0.0f, 0.0f, 0.0f);
    }
    float cosine_t = f_sqrt(1.0f - sine2_t);
    return v3_sub(v3_scale(h, cosine / eta - cosine_t), v3_scale(wo, 1.0f / eta));
}

/* `wi` if it lies above or, else, below the surface as it was meant to; nothing otherwise. A reflection that
 * falls below is not light let through, whose density knows nothing of it. */
IFX_FN V3 scatter_on_side(V3 wi, int is_above) {
    if (is_above ? wi.z > 0.0f : wi.z < 0.0f) {
        return wi;
    }
    return v3(0.0f, 0.0f, 0.0f);
}

IFX_FN V3 scatter_sample_glass(const Lobes *l, V3 wo, float choice, float u, float v) {
    V3 h = ggx_sample(wo, l->alpha, u, v);
    float f = fresnel_dielectric(v3_dot(wo, h), l->eta);
    f = l->is_thin ? fresnel_pane(f) : f;
    if (choice < f) {
        return scatter_on_side(reflect(wo, h), 1);
    }
    if (!l->is_thin) {
        return scatter_on_side(refract(wo, h, l->eta), 0);
    }
    V3 wi = scatter_on_side(reflect(wo, h), 1);
    return v3(wi.x, wi.y, -wi.z);
}

/* Draws a direction; nothing where the draw leads nowhere. It takes three numbers, whatever it draws. */
IFX_COLD V3 scatter_sample(const Lobes *l, V3 wo, Random *random) {
    float choice = random_draw(random);
    float u = random_draw(random);
    float v = random_draw(random);
    if (choice < l->transmission) {
        return scatter_sample_glass(l, wo, choice / l->transmission, u, v);
    }
    float share = (choice - l->transmission) / (1.0f - l->transmission);
    if (share < l->specular_share) {
        return scatter_on_side(reflect(wo, ggx_sample(wo, l->alpha, u, v)), 1);
    }
    SineCosine phi = m_sine_cosine_turn(u);
    float radius = f_sqrt(v);
    return v3(radius * phi.cosine, radius * phi.sine, f_sqrt(f_max(1.0f - v, 0.0f)));
}

#endif
