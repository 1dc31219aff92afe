/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine's choice of pages: every constraint against brute force on
 * small machines, scatter, exhaustion, use again, and descriptions of terabytes.
 */
#include "test_sim.h"

#define SMALL 24u
#define FIRST 16u
#define MANY 64u

/* Which pages of a small machine are taken, as the tests see it. */
struct shadow {
    bool ram[FIRST + SMALL + MANY];
    bool taken[FIRST + SMALL + MANY];
};

#define SHADOW_PAGES (FIRST + SMALL + MANY)

static uint64_t random_state;

static uint64_t any(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

static struct rig rig_with_holes(struct shadow *shadow)
{
    struct dxgkmem_sim_config config = {
        .range = {{.page = FIRST, .pages = 7},
                  {.page = FIRST + 7, .pages = 3}, /* a neighbour: one piece with the first */
                  {.page = FIRST + 10, .pages = 2, .io = true},
                  {.page = FIRST + 13, .pages = SMALL - 13}},
        .ranges = 4,
        .address_bits = 32,
    };

    memset(shadow, 0, sizeof *shadow);
    for (unsigned i = 0; i < SMALL; i++)
        shadow->ram[FIRST + i] = i < 10 || i >= 13;
    return rig_make(&config);
}

static bool is_free(const struct shadow *shadow, uint64_t page)
{
    return page < SHADOW_PAGES && shadow->ram[page] && !shadow->taken[page];
}

/* Whether the request's windows contain the page: the slow way, window by window. */
static bool in_window(const struct dxgkmem_memory_request *request, uint64_t page)
{
    uint64_t low = request->lowest_page, high = request->highest_page;

    if (request->type == SECTION)
        return true;
    do {
        if (page >= low && page <= high)
            return true;
        low += request->skip_pages;
        high += request->skip_pages;
    } while (request->type == MDL && request->skip_pages != 0 && low < SHADOW_PAGES);
    return false;
}

static bool usable(const struct shadow *shadow, const struct dxgkmem_memory_request *request, uint64_t page)
{
    return is_free(shadow, page) && in_window(request, page);
}

static bool run_fits(const struct shadow *shadow, const struct dxgkmem_memory_request *request, uint64_t page,
                     uint64_t pages)
{
    uint64_t boundary = request->type == CONTIGUOUS ? request->boundary_pages : 0;

    for (uint64_t i = 0; i < pages; i++) {
        if (!usable(shadow, request, page + i) || (boundary != 0 && i != 0 && (page + i) % boundary == 0))
            return false;
    }
    return true;
}

/* Whether pages for the request exist. */
static bool possible(const struct shadow *shadow, const struct dxgkmem_memory_request *request)
{
    bool mdl = request->type == MDL;
    uint64_t chunk = mdl ? request->chunk_pages : 0;
    uint64_t found = 0;
    uint64_t unit = request->type == CONTIGUOUS || chunk == DXGKMEM_CHUNK_WHOLE ? request->pages
                    : chunk != 0                                                ? chunk
                                                                                : 1;
    uint64_t step = chunk != 0 && chunk != DXGKMEM_CHUNK_WHOLE ? chunk : 1;

    for (uint64_t page = 0; page < SHADOW_PAGES; page += step) {
        if (run_fits(shadow, request, page, unit))
            found += unit;
    }
    return found >= request->pages;
}

/* Takes or gives back an object's pages in the shadow, checking each against the request. */
static void note(struct rig *rig, struct shadow *shadow, const struct dxgkmem_memory_request *request,
                 struct dxgkmem_memory *memory, bool taken)
{
    uint64_t chunk = request->type == MDL ? request->chunk_pages : 0;
    uint64_t before = 0;

    lock(rig, memory, 0, request->pages);
    for (uint64_t i = 0; i < request->pages; i++) {
        uint64_t page = nth_page(rig, memory, i);
        uint64_t in_unit = request->type == CONTIGUOUS || chunk == DXGKMEM_CHUNK_WHOLE ? i
                           : chunk != 0                                                ? i % chunk
                                                                                       : 0;

        if (taken) {
            assert_true(usable(shadow, request, page));
            if (in_unit != 0)
                assert_int_equal(page, before + 1);
            else if (chunk != 0 && chunk != DXGKMEM_CHUNK_WHOLE)
                assert_int_equal(page % chunk, 0);
            if (request->type == CONTIGUOUS && i != 0 && request->boundary_pages != 0)
                assert_int_not_equal(page % request->boundary_pages, 0);
        } else {
            assert_true(shadow->taken[page]);
        }
        before = page;
        shadow->taken[page] = taken;
    }
    unlock(rig, memory, 0, request->pages);
}

static struct dxgkmem_memory_request any_request(void)
{
    static const DXGK_PHYSICAL_MEMORY_TYPE types[] = {MDL, MDL, CONTIGUOUS, SECTION};
    struct dxgkmem_memory_request request = request_of(types[any(4)], 1 + any(6));
    uint64_t low = any(SHADOW_PAGES / 2), high = any(SHADOW_PAGES / 2);

    if (any(3) != 0) {
        request.lowest_page = low < high ? low : high;
        request.highest_page = low < high ? high : low;
    }
    if (request.type == CONTIGUOUS)
        request.boundary_pages = any(2) * ((uint64_t)1 << any(5));
    if (request.type != MDL)
        return request;
    switch (any(4)) {
    case 0:
        request.skip_pages = 1 + any(20);
        break;
    case 1:
        request.chunk_pages = (uint64_t)1 << any(3);
        request.pages = request.chunk_pages * (1 + any(3));
        break;
    case 2:
        request.chunk_pages = DXGKMEM_CHUNK_WHOLE;
        break;
    default:
        request.prefer_contiguous = any(2) != 0;
        break;
    }
    return request;
}

static uint64_t free_in(const struct shadow *shadow)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < SHADOW_PAGES; i++) {
        pages += is_free(shadow, i);
    }
    return pages;
}

static void check_map(struct rig *rig, const struct shadow *shadow)
{
    for (unsigned page = 0; page < SHADOW_PAGES; page++) {
        assert_int_equal(dxgkmem_sim_is_ram(rig->sim, page), shadow->ram[page]);
        assert_int_equal(dxgkmem_sim_is_allocated(rig->sim, page), shadow->taken[page]);
    }
    assert_int_equal(dxgkmem_sim_free_pages(rig->sim), free_in(shadow));
}

/* Random requests and ends: each answer is the one that brute force gives. */
static void constraints_by_brute_force(void **state)
{
    struct shadow shadow;
    struct rig rig = rig_with_holes(&shadow);
    struct dxgkmem_memory *memory[16] = {NULL};
    struct dxgkmem_memory_request request[16];
    unsigned made = 0, refused = 0;

    (void)state;
    random_state = 1;
    for (unsigned round = 0; round < 60000; round++) {
        unsigned i = (unsigned)any(16);
        NTSTATUS status;
        bool can;

        if (memory[i] != NULL) {
            note(&rig, &shadow, &request[i], memory[i], false);
            destroy(&rig, memory[i]);
            memory[i] = NULL;
            continue;
        }
        request[i] = any_request();
        can = possible(&shadow, &request[i]);
        if (round % 7 == 0)
            assert_int_equal(dxgkmem_sim_could_create(rig.sim, &request[i]), can);
        status = rig.ops->memory_create(rig.machine, &request[i], &memory[i]);
        assert_int_equal(status, can ? STATUS_SUCCESS : STATUS_NO_MEMORY);
        if (can)
            note(&rig, &shadow, &request[i], memory[i], true);
        made += can;
        refused += !can;
        if (round % 64 == 0)
            check_map(&rig, &shadow);
    }
    assert_true(made > 5000 && refused > 5000);
    for (unsigned i = 0; i < 16; i++) {
        if (memory[i] != NULL)
            destroy(&rig, memory[i]);
    }
    rig_end(&rig);
}

/* One request after the other on an empty machine, every window and length there is. */
static void windows_exhaustively(void **state)
{
    struct shadow shadow;
    struct rig rig = rig_with_holes(&shadow);

    (void)state;
    for (uint64_t low = FIRST - 2; low < FIRST + SMALL + 2; low++) {
        for (uint64_t high = low; high < FIRST + SMALL + 2; high++) {
            for (uint64_t pages = 1; pages <= 9; pages += 2) {
                struct dxgkmem_memory_request mdl = request_of(MDL, pages);
                struct dxgkmem_memory_request block = request_of(CONTIGUOUS, pages);

                mdl.lowest_page = block.lowest_page = low;
                mdl.highest_page = block.highest_page = high;
                assert_int_equal(dxgkmem_sim_could_create(rig.sim, &mdl), possible(&shadow, &mdl));
                assert_int_equal(dxgkmem_sim_could_create(rig.sim, &block), possible(&shadow, &block));
                block.boundary_pages = 4;
                assert_int_equal(dxgkmem_sim_could_create(rig.sim, &block), possible(&shadow, &block));
                mdl.chunk_pages = 2;
                mdl.pages = pages / 2 * 2 + 2;
                assert_int_equal(dxgkmem_sim_could_create(rig.sim, &mdl), possible(&shadow, &mdl));
            }
        }
    }
    rig_end(&rig);
}

static void scattered_pages_are_no_neighbours(void **state)
{
    struct rig rig = rig_small(64);

    (void)state;
    for (uint64_t pages = 2; pages <= 32; pages++) {
        struct dxgkmem_memory *memory = create(&rig, pages % 2 == 0 ? MDL : SECTION, pages);
        bool descends = false;

        lock(&rig, memory, 0, pages);
        for (uint64_t i = 0; i < pages; i++) {
            struct dxgkmem_run run = rig.ops->memory_run(rig.machine, memory, i);

            assert_int_equal(run.pages, 1);
            if (i + 1 < pages && nth_page(&rig, memory, i + 1) < run.page)
                descends = true;
        }
        assert_true(descends);
        unlock(&rig, memory, 0, pages);
        destroy(&rig, memory);
    }
    rig_end(&rig);
}

static void a_wish_for_neighbours_is_met_when_it_can_be(void **state)
{
    struct rig rig = rig_small(8);
    struct dxgkmem_memory_request request = request_of(MDL, 4);
    struct dxgkmem_memory *memory, *holes;

    (void)state;
    request.prefer_contiguous = true;
    memory = create_as(&rig, &request);
    assert_int_equal(rig.ops->memory_run(rig.machine, memory, 0).pages, 4);
    assert_int_equal(rig.ops->memory_run(rig.machine, memory, 3).pages, 1);
    destroy(&rig, memory);
    holes = create(&rig, MDL, 4); /* every other page */
    memory = create_as(&rig, &request);
    assert_int_equal(dxgkmem_sim_free_pages(rig.sim), 0);
    destroy(&rig, memory);
    destroy(&rig, holes);
    rig_end(&rig);
}

static void all_of_ram_can_be_had(void **state)
{
    struct rig rig = rig_small(1000);
    struct dxgkmem_memory_request one = request_of(MDL, 1);
    struct dxgkmem_memory *memory;

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        memory = create(&rig, round == 0 ? MDL : round == 1 ? CONTIGUOUS : SECTION, 1000);
        assert_int_equal(dxgkmem_sim_free_pages(rig.sim), 0);
        assert_false(dxgkmem_sim_could_create(rig.sim, &one));
        destroy(&rig, memory);
        assert_int_equal(dxgkmem_sim_free_pages(rig.sim), 1000);
    }
    one.pages = 1001;
    assert_int_equal(rig.ops->memory_create(rig.machine, &one, &memory), STATUS_NO_MEMORY);
    assert_int_equal(dxgkmem_sim_free_pages(rig.sim), 1000);
    rig_end(&rig);
}

/* Single pages that were given back are the next to be used, and no obstacle to anybody. */
static void pages_are_used_again_at_once(void **state)
{
    struct rig rig = rig_small(40);
    struct dxgkmem_memory *memory[40];
    uint64_t page[40];
    struct dxgkmem_memory_request all = request_of(CONTIGUOUS, 40);

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        memory[i] = create(&rig, MDL, 1);
    for (unsigned i = 0; i < 40; i++) {
        page[i] = nth_page(&rig, memory[i], 0);
        assert_true(dxgkmem_sim_is_allocated(rig.sim, page[i]));
        destroy(&rig, memory[i]);
        assert_false(dxgkmem_sim_is_allocated(rig.sim, page[i]));
    }
    for (unsigned i = 0; i < 4; i++) {
        memory[i] = create(&rig, CONTIGUOUS, 1);
        assert_int_equal(nth_page(&rig, memory[i], 0), page[39 - i]);
    }
    for (unsigned i = 0; i < 4; i++)
        destroy(&rig, memory[i]);
    memory[0] = create_as(&rig, &all);
    destroy(&rig, memory[0]);
    rig_end(&rig);
}

static void terabytes_cost_nothing_until_used(void **state)
{
    struct dxgkmem_sim_config config = {
        .range = {{.page = 0x100, .pages = (uint64_t)1 << 36}, {.page = (uint64_t)1 << 38, .pages = 3}},
        .ranges = 2,
        .address_bits = 52,
        .page_limit = 4096,
    };
    struct rig rig = rig_make(&config);
    struct dxgkmem_memory_request request = request_of(CONTIGUOUS, 8);
    uint64_t bytes = dxgkmem_sim_pool_bytes(rig.sim);
    struct dxgkmem_memory *memory[3];

    (void)state;
    assert_true(bytes < 65536);
    assert_int_equal(dxgkmem_sim_free_pages(rig.sim), ((uint64_t)1 << 36) + 3);
    request.lowest_page = ((uint64_t)1 << 35) - 3;
    request.boundary_pages = 8;
    memory[0] = create_as(&rig, &request);
    assert_int_equal(nth_page(&rig, memory[0], 0), (uint64_t)1 << 35);
    request.lowest_page = (uint64_t)1 << 37;
    request.pages = 3;
    request.boundary_pages = 0;
    memory[1] = create_as(&rig, &request);
    assert_int_equal(nth_page(&rig, memory[1], 0), (uint64_t)1 << 38);
    request = request_of(MDL, 5);
    memory[2] = create_as(&rig, &request);
    assert_true(dxgkmem_sim_pool_bytes(rig.sim) < bytes + 200000);
    for (unsigned i = 0; i < 3; i++)
        destroy(&rig, memory[i]);
    request.pages = 4097;
    assert_int_equal(rig.ops->memory_create(rig.machine, &request, &memory[0]), STATUS_NO_MEMORY);
    assert_false(dxgkmem_sim_could_create(rig.sim, &request));
    rig_end(&rig);
}

/* Windows with gaps between them over a large machine: the search jumps. */
static void distant_windows(void **state)
{
    struct dxgkmem_sim_config config = {
        .range = {{.page = 0x100, .pages = 0x100}, {.page = (uint64_t)1 << 30, .pages = 0x10000}},
        .ranges = 2,
        .address_bits = 48,
    };
    struct rig rig = rig_make(&config);
    struct dxgkmem_memory_request request = request_of(MDL, 6);
    struct dxgkmem_memory *memory;

    (void)state;
    request.lowest_page = 0;
    request.highest_page = 1;
    request.skip_pages = 3;
    memory = create_as(&rig, &request);
    for (unsigned i = 0; i < 6; i++)
        assert_true(nth_page(&rig, memory, i) % 3 < 2);
    destroy(&rig, memory);
    request.lowest_page = 0x300;
    request.highest_page = 0x300;
    request.skip_pages = 0x1000;
    memory = create_as(&rig, &request);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(nth_page(&rig, memory, i) % 0x1000, 0x300);
    destroy(&rig, memory);
    request.skip_pages = (uint64_t)1 << 29;
    request.pages = 1;
    assert_int_equal(rig.ops->memory_create(rig.machine, &request, &memory), STATUS_SUCCESS);
    assert_int_equal(nth_page(&rig, memory, 0), ((uint64_t)1 << 30) + 0x300);
    destroy(&rig, memory);
    request.skip_pages = ((uint64_t)1 << 30) + 0x10000;
    assert_int_equal(rig.ops->memory_create(rig.machine, &request, &memory), STATUS_NO_MEMORY);
    rig_end(&rig);
}

/* Many chunks, full and half full, over several levels of the tree. */
static void many_objects_over_many_chunks(void **state)
{
    struct dxgkmem_sim_config config = {
        .range = {{.page = 0x3ff00, .pages = 0x2000}}, .ranges = 1, .address_bits = 40};
    struct rig rig = rig_make(&config);
    static struct dxgkmem_memory *memory[0x2000];
    struct dxgkmem_memory_request request = request_of(CONTIGUOUS, 2);

    (void)state;
    for (unsigned i = 0; i < 0x2000; i++) {
        memory[i] = create(&rig, MDL, 1);
        assert_int_equal(nth_page(&rig, memory[i], 0), 0x3ff00 + i);
    }
    assert_false(dxgkmem_sim_could_create(rig.sim, &request));
    for (unsigned i = 0; i < 0x2000; i += 2)
        destroy(&rig, memory[i]);
    assert_false(dxgkmem_sim_could_create(rig.sim, &request));
    destroy(&rig, memory[0x1801]);
    memory[0x1801] = create_as(&rig, &request);
    assert_int_equal(nth_page(&rig, memory[0x1801], 0), 0x3ff00 + 0x1800);
    for (unsigned i = 1; i < 0x2000; i += 2)
        destroy(&rig, memory[i]);
    request.pages = 0x2000;
    memory[0] = create_as(&rig, &request);
    destroy(&rig, memory[0]);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constraints_by_brute_force),
        cmocka_unit_test(windows_exhaustively),
        cmocka_unit_test(scattered_pages_are_no_neighbours),
        cmocka_unit_test(a_wish_for_neighbours_is_met_when_it_can_be),
        cmocka_unit_test(all_of_ram_can_be_had),
        cmocka_unit_test(pages_are_used_again_at_once),
        cmocka_unit_test(terabytes_cost_nothing_until_used),
        cmocka_unit_test(distant_windows),
        cmocka_unit_test(many_objects_over_many_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
