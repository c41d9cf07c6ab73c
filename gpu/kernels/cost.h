/* What a path counts for itself, in work units.
 *
 * A unit of work is about 1,000 instructions of the RV32IM build (gcc -O2, libgcc's soft float: mean 864,
 * worst 966 over the sub-units of the test scene), so that a sub-unit of SUB_UNIT_SAMPLES paths that all
 * end at PATH_COST_MAX takes 2^29 of them, half of what a dispute allows. */
#ifndef IFX_COST_H
#define IFX_COST_H

#include "types.h"

#define COST_PATH 24u    /* camera ray, random numbers */
#define COST_NODE 8u     /* eight boxes */
#define COST_PACK 24u    /* eight triangles */
#define COST_INSTANCE 4u /* a ray moved into an instance's space */
#define COST_SURFACE 32u /* from a hit to its frame and material */
#define COST_SCATTER 32u /* one direction drawn, one evaluated */
#define COST_TEXTURE 8u  /* four texels */
#define COST_LIGHT 48u   /* one light drawn, and the surface evaluated for it */
#define COST_SKY 16u     /* four texels, or a gradient */

/* A path that has counted this much ends where it is, and counts no more. */
#define PATH_COST_MAX 32768u

/* Paths of a sub-unit. */
#define SUB_UNIT_SAMPLES 16u

#endif
