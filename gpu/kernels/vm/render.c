/* The render program in the dispute VM: one sub-unit, or a unit's assembly from its sub-units.
 *
 * - In: the job's scene at IFX_INPUT_AT, its parameters at IFX_PARAMS_AT; the unit, the sub-unit and the unit's
 *   `max_cost` in registers. An assembly also reads the sub-units at IFX_PARTS_AT, a leaf each.
 * - Out: a SubUnit at IFX_OUTPUT_AT, and its cost in registers; of an assembly the unit's pixels, its cost, and
 *   whether it was capped.
 *
 * Sub-unit `i` of a unit is range `i % range_count` of the tile's pixel `i / range_count`. One that is not in the
 * frame, and one beyond the tile, is zero and costs nothing. */
#include "../render.h"

/* The sub-unit that is no sub-unit: both words of its number have all bits. */
#define ASSEMBLY 0xffffffffu

/* A sub-unit's output in its leaf. */
typedef struct {
    SubUnit part;
    u32 padding[4];
} Leaf;
IFX_ASSERT_SIZE(Leaf, 32);

typedef struct {
    u32 frame;
    u32 x;
    u32 y;
    u32 range;
    u32 is_in_frame;
} SubUnitPlace;

/* The twin of `RenderParams::tile`. Units of a job are below 2^32, and so are sub-units of a unit: the validator
 * sees to it. */
static SubUnitPlace place_of(const RenderParams *params, u32 unit, u32 sub_unit) {
    SubUnitPlace place;
    u32 edge = params->tile_edge;
    u32 tiles_per_row = (params->width + edge - 1) / edge;
    u32 tiles_per_frame = tiles_per_row * ((params->height + edge - 1) / edge);
    u32 tile = unit % tiles_per_frame;
    u32 range_count = render_range_count(params);
    u32 pixel = sub_unit / range_count;
    place.frame = params->first_frame + unit / tiles_per_frame;
    place.x = tile % tiles_per_row * edge + pixel % edge;
    place.y = tile / tiles_per_row * edge + pixel / edge;
    place.range = sub_unit % range_count;
    place.is_in_frame = unit / tiles_per_frame < params->frame_count && pixel < edge * edge &&
                        place.x < params->width && place.y < params->height;
    return place;
}

__attribute__((noreturn)) static void halt(u32 cost_low, u32 cost_high, u32 status) {
    register u32 a0 __asm__("a0") = cost_low;
    register u32 a1 __asm__("a1") = cost_high;
    register u32 a2 __asm__("a2") = status;
    __asm__ volatile("ecall" : : "r"(a0), "r"(a1), "r"(a2) : "memory");
    __builtin_unreachable();
}

/* What the CPU does when it renders a unit, with sub-units that someone else says. */
__attribute__((noreturn)) static void assemble(const RenderParams *params, u32 unit, u64 max_cost) {
    const Leaf *leaves = (const Leaf *)IFX_PARTS_AT;
    Pixel *pixels = (Pixel *)IFX_OUTPUT_AT;
    u32 pixel_count = params->tile_edge * params->tile_edge;
    u32 range_count = render_range_count(params);
    for (u32 i = 0; i < pixel_count; i++) {
        Pixel pixel = {{0.0f, 0.0f, 0.0f}, 0};
        if (place_of(params, unit, i * range_count).is_in_frame) {
            for (u32 range = 0; range < range_count; range++) {
                pixel_add(&pixel, &leaves[i * range_count + range].part);
            }
            pixel_close(&pixel, params->samples);
        }
        pixels[i] = pixel;
    }
    u64 cost;
    u32 is_capped = (u32)render_close_unit(pixels, pixel_count, max_cost, &cost);
    halt((u32)cost, (u32)(cost >> 32), is_capped);
}

__attribute__((noreturn, section(".entry"))) void _start(u32 unit, u32 unit_high, u32 sub_unit,
                                                         u32 sub_unit_high, u32 max_cost, u32 max_cost_high) {
    const u8 *blob = (const u8 *)IFX_INPUT_AT;
    const RenderParams *params = (const RenderParams *)IFX_PARAMS_AT;
    SubUnit *out = (SubUnit *)IFX_OUTPUT_AT;
    if (unit_high == 0 && (sub_unit & sub_unit_high) == ASSEMBLY) {
        assemble(params, unit, (u64)max_cost_high << 32 | max_cost);
    }
    SubUnitPlace place = place_of(params, unit, sub_unit);
    if ((unit_high | sub_unit_high) != 0 || !place.is_in_frame) {
        halt(0, 0, 0);
    }
    View view = view_open(blob, place.frame);
    Camera camera = camera_of(&view, params);
    render_sub_unit(&view, &camera, params, place.frame, place.x, place.y, place.range, out);
    halt(out->cost, 0, 0);
}
