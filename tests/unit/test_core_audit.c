/* SPDX-License-Identifier: MIT */
/* The audit: each of its sentences is provoked by damaging a structure on purpose, and mended. */
#include "tests/support/world.h"

#include "core/adl.h"
#include "core/frame_buffer.h"
#include "core/mapping.h"
#include "core/mdl.h"
#include "core/memory.h"

static struct thing open, unopened, io;
static DXGK_ADL *handed_out;
static struct adl *adl;
static struct object *object;
static struct mapping *mapping;
static struct adapter *adapter;
static struct logical_adapter *logical;
static struct view kernel, user;
static bool one_call_more; /* in setup, before anything is made */

static struct object *object_behind(HANDLE handle)
{
    return handle_thing(handle_index((uintptr_t)handle), HANDLE_OBJECT);
}

static int setup(void **state)
{
    DXGK_ADL *pinned;
    struct dxgkmem_config config;
    (void)state;
    memset(&config, 0, sizeof(config));
    config.limits.total.objects = 100; /* a quota without limits is not counted */
    world_make_machine(0);
    world_start(&config);
    if (one_call_more) {
        assert_int_equal(try_unpin(world.adapter, 0), STATUS_INVALID_DEVICE_STATE);
        expect_code(DXGKMEM_VIOLATION_NOT_PINNED);
    }
    open = thing_create(mdl_arguments(world.adapter, 4 * PAGE));
    unopened = thing_create(mdl_arguments(NULL, 4 * PAGE));
    io = thing_create(io_arguments(NULL, IO_PAGE, PAGE));
    handed_out = adl_allocate(open.open, 0, 4 * PAGE);
    kernel = view_map(open.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    user = view_map(open.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &pinned), STATUS_SUCCESS);
    object = object_behind(open.object);
    adl = adl_oldest(object);
    mapping = mapping_oldest(object);
    adapter = CONTAINER_OF(instance.adapters, struct adapter, link);
    logical = adapter->logical;
    return 0;
}

static int teardown(void **state)
{
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    view_unmap(open.object, user);
    view_unmap(open.object, kernel);
    adl_free(open.open, handed_out);
    thing_destroy(io);
    thing_destroy(unopened);
    thing_destroy(open);
    return world_teardown(state);
}

static void expect_problem(const char *sentence)
{
    struct dxgkmem_audit audit;
    dxgkmem_audit(&audit);
    if (sentence == NULL) {
        assert_null(audit.problem);
        return;
    }
    assert_non_null(audit.problem);
    assert_string_equal(audit.problem, sentence);
}

/* Puts a value somewhere, looks, puts the right one back. */
#define DAMAGE(place, value, sentence)                                                                       \
    do {                                                                                                     \
        __typeof__(place) right_value = (place);                                                             \
        (place) = (value);                                                                                   \
        expect_problem(sentence);                                                                            \
        (place) = right_value;                                                                               \
        expect_problem(NULL);                                                                                \
    } while (0)

static void adls(void **state)
{
    DXGK_PAGE_NUMBER *array = adl->array;
    (void)state;
    DAMAGE(adl->owner, object_behind(unopened.object), "an ADL in an object's list belongs to another");
    DAMAGE(adl->entry.next_free, UINT32_MAX, "an ADL does not know its own place");
    DAMAGE(adl->entry.next_free, adl->entry.next_free + 1, "an ADL does not know its own place");
    DAMAGE(adl->first, 1, "an ADL reaches past its object");
    DAMAGE(adl->pages, 5, "an ADL reaches past its object");
    DAMAGE(adl->flags, adl->flags ^ ADL_CONTIGUOUS, "an ADL has an array exactly when it is not contiguous");
    adl->array = NULL;
    expect_problem("an ADL has an array exactly when it is not contiguous");
    adl->array = array;
}

static void objects(void **state)
{
    struct object *other = object_behind(unopened.object);
    struct object *range = object_behind(io.object);
    (void)state;
    DAMAGE(mapping->object, other, "a mapping in an object's list belongs to another");
    DAMAGE(other->memory, NULL, "a live object has no pages");
    DAMAGE(other->size, 3 * PAGE, "an object's size is not that of its pages");
    DAMAGE(other->slot, other->slot + 1, "an object does not know its own slot");
    DAMAGE(other->coverage.root, &adl->node, "an object without an ADL has coverage");
    DAMAGE(adl->node.max_gap, 7, "an object's coverage is damaged");
    DAMAGE(handle_slot(object->adapter_slot)->owner_index, other->slot,
           "an adapter memory object names another object's slot");
    DAMAGE(((struct io_object *)range)->claim.max_gap, 7, "the claims on I/O ranges are damaged");
    /* An ADL's object that is not open: the adapter then misses one, but this comes first. */
    DAMAGE(object->logical, NULL, "an object that is not open has an ADL");
    DAMAGE(instance.total.objects, 0, "the quota of all objects is wrong");
}

static void memories(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V28);
    HANDLE second = adapter_add(&config);
    struct adapter *elsewhere = handle_thing(handle_index((uintptr_t)second), HANDLE_ADAPTER);
    HANDLE handle = contiguous_allocate(world.adapter, 2 * PAGE).handle;
    struct memory *memory = handle_thing(handle_index((uintptr_t)handle), HANDLE_MEMORY);
    (void)state;
    DAMAGE(memory->object->logical, elsewhere->logical, "a memory is on another adapter's list");
    DAMAGE(memory->slot, memory->slot + 1, "a memory does not know its own slot");
    DAMAGE(memory->charged, false, "a live memory is not complete");
    DAMAGE(memory->locked, false, "a live memory is not complete");
    DAMAGE(memory->connected, false, "a live memory is not complete");
    DAMAGE(memory->reach.pages, 1, "the device reaches part of a memory");
    assert_int_equal(try_free_contiguous(world.adapter, handle), STATUS_SUCCESS);
    adapter_remove(second);
}

/* What memories take of a quota is what the audit adds up. */
static void memories_with_a_quota(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V28);
    (void)state;
    config.quota.pages = 10;
    HANDLE second = adapter_add(&config);
    HANDLE handle = contiguous_allocate(second, 2 * PAGE).handle;
    expect_problem(NULL);
    assert_int_equal(try_free_contiguous(second, handle), STATUS_SUCCESS);
    adapter_remove(second);
}

static void adapters(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    config.quota.objects = 10;
    HANDLE second = adapter_add(&config);
    struct thing thing = thing_create(mdl_arguments(second, PAGE));
    DXGK_ADL *remapped = adl_allocate(thing.open, 0, PAGE);
    struct object *elsewhere = object_behind(thing.object);
    (void)state;
    DAMAGE(object->logical, elsewhere->logical, "an object is on another adapter's list");
    DAMAGE(logical->opened, logical->opened + 1, "an adapter miscounts what is open on it");
    DAMAGE(elsewhere->logical->quota.objects, 7, "an adapter's quota does not match what is open on it");
    DAMAGE(elsewhere->logical->quota.pages, 70, "an adapter's quota does not match what is open on it");
    DAMAGE(adl_oldest(elsewhere)->node.max_gap, 3, "an adapter's logical addresses are damaged");
    adl_free(thing.open, remapped);
    thing_destroy(thing);
    adapter_remove(second);
}

static void frame_buffers(void **state)
{
    struct frame_buffer *saved = &adapter->frame_buffer;
    (void)state;
    DAMAGE(saved->area, NULL, "a frame buffer without a save area is pinned");
    DAMAGE(saved->pinned, 0, "a frame buffer is pinned exactly when the device reaches its save area");
    DAMAGE(saved->adl, NULL, "a frame buffer is pinned exactly when the device reaches its save area");
}

static void claims_on_mdls(void **state)
{
    HANDLE handle = mdl_map(world.adapter, 0, 1);
    struct memory *memory = handle_thing(handle_index((uintptr_t)handle), HANDLE_MEMORY);
    (void)state;
    DAMAGE(memory->runs->run[0].node.max_gap, 3, "an adapter's claims on pages of MDLs are damaged");
    mdl_unmap(world.adapter, handle);
}

static void mappings(void **state)
{
    struct mapping *of_user =
        CONTAINER_OF(list_next(object->mappings, &mapping->object_link), struct mapping, object_link);
    struct mapping_space *space = NULL;
    (void)state;
    for (unsigned i = 0; i < MAPPING_STRIPES; i++)
        if (instance.stripe[i].spaces != NULL)
            space = instance.stripe[i].spaces;
    assert_non_null(space);
    DAMAGE(mapping->node.max_gap, 9, "the kernel's mappings are damaged");
    for (unsigned i = 0; i < MAPPING_STRIPES; i++) { /* each is looked at */
        struct range_node empty = {.start = 5, .end = 5};
        DAMAGE(instance.stripe[i].kernel.root, &empty, "the kernel's mappings are damaged");
    }
    DAMAGE(of_user->node.max_gap, 9, "a process' mappings are damaged");
    DAMAGE(space->mappings, NULL, "a process' mappings are damaged");
}

static void counters(void **state)
{
    static const struct {
        enum counter_name name;
        const char *sentence;
    } wrong[] = {
        {COUNT_ADAPTERS, "the count of adapters is wrong"},
        {COUNT_OBJECTS, "the count of objects is wrong"},
        {COUNT_ADAPTER_OBJECTS, "the count of adapter memory objects is wrong"},
        {COUNT_ADLS, "the count of ADLs is wrong"},
        {COUNT_MAPPINGS, "the count of mappings is wrong"},
        {COUNT_FRAME_BUFFERS, "the count of frame buffers is wrong"},
        {COUNT_MEMORIES, "the count of memories is wrong"},
        {COUNT_PAGES, "the count of pages is wrong"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        DAMAGE(*counter_of(wrong[i].name), *counter_of(wrong[i].name) + 1, wrong[i].sentence);
}

/* A reset forgets the calls of every thread. */
static void reset_of_every_shard(void **state)
{
    const struct dxgkmem_adapter_config config = adapter_identity(0, V31);
    struct dxgkmem_statistics statistics;
    (void)state;
    for (unsigned i = 0; i < INSTANCE_SHARDS; i++) {
        instance.shard[i].count[COUNT_CALLS] = 7;
        instance.shard[i].used = 1;
    }
    dxgkmem_reset();
    dxgkmem_sim_reset(world.sim);
    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.calls, 0);
    world.adapter = adapter_add(&config);
}

/* The first problem is the one that is named. */
static void first_problem(void **state)
{
    (void)state;
    count_up(COUNT_PAGES, 1);
    count_up(COUNT_ADLS, 1);
    expect_problem("the count of ADLs is wrong");
    count_down(COUNT_ADLS, 1);
    expect_problem("the count of pages is wrong");
    count_down(COUNT_PAGES, 1);
    expect_problem(NULL);
}

/* The digest tells states apart that differ in anything that lives. */
static void digest(void **state)
{
    struct state before = state_now();
    struct view more;
    DXGK_ADL *another;
    (void)state;
    more = view_map(unopened.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    assert_true(state_now().core != before.core);
    view_unmap(unopened.object, more);
    before = state_now();
    another = adl_allocate(open.open, 0, PAGE);
    assert_true(state_now().core != before.core);
    adl_free(open.open, another);
    assert_int_equal(state_now().core, before.core);
    DAMAGE(object->context, 5, NULL);
}

/* Whoever debugs finds in an object what its creator said of it. */
static void context(void **state)
{
    create_arguments arguments = mdl_arguments(NULL, PAGE);
    struct thing thing;
    (void)state;
    arguments.Context = 0x1234567;
    thing = thing_create(arguments);
    assert_int_equal(object_behind(thing.object)->context, 0x1234567);
    thing_destroy(thing);
}

/* -- every bit of every field ------------------------------------------------------------- */

/* Looks after each change: neither digest nor shape was there before. What the shape leaves out may change the digest alone. */
static struct dxgkmem_audit looks[2048];
static unsigned looked;

static void look(bool shaped)
{
    struct dxgkmem_audit *now = &looks[looked];
    dxgkmem_audit(now);
    for (unsigned i = 0; i < looked; i++) {
        assert_true(now->digest != looks[i].digest);
        assert_true(!shaped || now->shape != looks[i].shape);
    }
    assert_true(++looked < sizeof(looks) / sizeof(looks[0]));
}

/* Each of these bits of a field by itself. */
#define LOOK_AT(field, first, end)                                                                           \
    do {                                                                                                     \
        for (unsigned bit = first; bit < (end); bit++) {                                                     \
            (field) ^= (__typeof__(field))1 << bit;                                                          \
            look(true);                                                                                      \
            (field) ^= (__typeof__(field))1 << bit;                                                          \
        }                                                                                                    \
    } while (0)

/* Bit fields know their width and take no shift of a wider one without a warning. */
#define LOOK_AT_BITS(field, bits)                                                                            \
    do {                                                                                                     \
        const unsigned kept = (field);                                                                       \
        for (unsigned bit = 0; bit < (bits); bit++) {                                                        \
            (field) = (kept ^ 1u << bit) & ((1u << (bits)) - 1);                                             \
            look(true);                                                                                      \
        }                                                                                                    \
        (field) = kept & ((1u << (bits)) - 1);                                                               \
    } while (0)

/* When something happened: the shape knows which call it was, the digest its number, too. */
static void look_at_stamp(stamp *when)
{
    const stamp kept = *when;
    for (unsigned bit = 0; bit < 64; bit++) {
        *when = kept ^ (stamp)1 << bit;
        look(bit >= 59);
    }
    *when = 0;
    if (kept != 0)
        look(true);
    *when = kept;
}

/* The same life in another slot is another state. */
static void slots_in_full(void **state)
{
    const uint32_t slot[2] = {handle_reserve(), handle_reserve()};
    (void)state;
    looked = 0;
    look(true);
    for (unsigned i = 0; i < 2; i++) {
        handle_slot(slot[i])->life = 8; /* of the first generation, ended */
        look(true);
        handle_slot(slot[i])->life = 0;
    }
    for (unsigned i = 0; i < 2; i++)
        handle_release(slot[i]);
}

static void objects_in_full(void **state)
{
    struct object *closed = object_behind(unopened.object);
    (void)state;
    looked = 0;
    look(true);
    assert_true(object->adapter_slot & 1); /* the bit that says of a life that it has not ended */
    LOOK_AT(handle_slot(object->adapter_slot)->life, 0, 1);
    LOOK_AT(closed->slot, 0, 32);
    LOOK_AT(closed->adapter_slot, 0, 32);
    LOOK_AT(closed->size, 0, 64);
    LOOK_AT(closed->last_unmapped, 0, 64);
    LOOK_AT(closed->lowest_page, 0, 64);
    LOOK_AT(closed->highest_page, 0, 64);
    LOOK_AT_BITS(closed->boundary_log2, 6);
    LOOK_AT_BITS(closed->access, 3);
    LOOK_AT(closed->context, 0, 32);
    look_at_stamp(&closed->last_unmapped_at);
    closed->type = DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY;
    look(true);
    closed->type = DXGK_PHYSICAL_MEMORY_TYPE_SECTION; /* its pages may be nowhere: they are not looked at */
    look(true);
    closed->type = DXGK_PHYSICAL_MEMORY_TYPE_MDL;
}

static void adls_and_mappings_in_full(void **state)
{
    struct handle_slot *slot = handle_slot(handle_index((uintptr_t)unopened.object));
    (void)state;
    looked = 0;
    look(true);
    LOOK_AT(adl->first, 0, 32);
    LOOK_AT(adl->pages, 0, 32);
    LOOK_AT(adl->flags, 2, 32);
    LOOK_AT(adl->node.start, 0, 64);
    look_at_stamp(&adl->when);
    LOOK_AT(mapping->node.start, 0, 64);
    LOOK_AT(mapping->node.end, 0, 64);
    LOOK_AT(mapping->process, 0, 64);
    look_at_stamp(&mapping->made);
    LOOK_AT(slot->life, 3, 32);
    look_at_stamp(&slot->when[0]);
    look_at_stamp(&slot->when[1]);
}

static void adapters_in_full(void **state)
{
    (void)state;
    looked = 0;
    look(true);
    LOOK_AT(adapter->slot, 0, 32);
    LOOK_AT(adapter->physical_index, 0, 32);
    LOOK_AT(adapter->device, 0, 64);
    LOOK_AT(adapter->frame_buffer_bytes, 0, 64);
    LOOK_AT(logical->quota.adls, 0, 64);
    LOOK_AT(logical->quota.pages_limit, 0, 64);
    LOOK_AT(logical->quota.adls_limit, 0, 64);
    LOOK_AT(logical->highest_visible_page, 0, 64);
    LOOK_AT(logical->indices, 0, 32);
    LOOK_AT(logical->version, 0, 31);
    logical->remapped = !logical->remapped;
    look(true);
    logical->remapped = !logical->remapped;
    LOOK_AT(logical->references, 0, 32);
    look_at_stamp(&logical->gone_at);
    look_at_stamp(&adapter->frame_buffer.pinned);
    LOOK_AT(instance.total.pages, 0, 64);
}

/* Also how much of a save area is pinned for an MDL. */
static void pinned_for_an_mdl(void **state)
{
    struct dxgkmem_mdl *mdl;
    DXGK_ADL *again;
    (void)state;
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_int_equal(try_pin_mdl(world.adapter, 0, PAGE, &mdl), STATUS_SUCCESS);
    expect_problem(NULL);
    looked = 0;
    look(true);
    LOOK_AT(adapter->frame_buffer.memory->reach.pages, 0, 32);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &again), STATUS_SUCCESS);
}

/* Room that is taken shows, wherever it is and however it is cut. */
static void look_at_room(struct range_tree *tree)
{
    struct range_node nodes[2];
    assert_null(tree->root);
    looked = 0;
    look(true);
    memset(nodes, 0, sizeof(nodes));
    nodes[0].start = 10;
    nodes[0].end = 12;
    range_insert(tree, &nodes[0]);
    look(true);
    range_remove(tree, &nodes[0]);
    nodes[0].start = 9;
    range_insert(tree, &nodes[0]);
    look(true);
    nodes[1].start = 20;
    nodes[1].end = 22;
    range_insert(tree, &nodes[1]);
    look(true);
    range_remove(tree, &nodes[1]);
    nodes[1].end = 23; /* the same start and gap, another end */
    range_insert(tree, &nodes[1]);
    look(true);
    range_remove(tree, &nodes[1]);
    nodes[1].start = 19; /* the same extent, another gap */
    range_insert(tree, &nodes[1]);
    look(true);
    range_remove(tree, &nodes[1]);
    range_remove(tree, &nodes[0]);
}

static void rooms_in_full(void **state)
{
    (void)state;
    look_at_room(&logical->taken);
    look_at_room(&logical->lent);
}

/* Which page of the machine an object has shows. */
static void pages_in_full(void **state)
{
    struct dxgkmem_memory *kept = object->memory;
    (void)state;
    looked = 0;
    look(true);
    object->memory = object_behind(unopened.object)->memory;
    look(true);
    object->memory = kept;
}

/* One refused call more: every later operation has another number, and the state the same shape. */
static void shape(void **state)
{
    struct dxgkmem_audit before, after;

    dxgkmem_audit(&before);
    teardown(state);
    one_call_more = true;
    setup(state);
    one_call_more = false;
    dxgkmem_audit(&after);
    assert_true(after.digest != before.digest);
    assert_int_equal(after.shape, before.shape);
    view_unmap(open.object, view_map(open.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE));
    dxgkmem_audit(&before);
    assert_true(after.shape != before.shape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(adls, setup, teardown),
        cmocka_unit_test_setup_teardown(objects, setup, teardown),
        cmocka_unit_test_setup_teardown(memories, setup, teardown),
        cmocka_unit_test_setup_teardown(memories_with_a_quota, setup, teardown),
        cmocka_unit_test_setup_teardown(adapters, setup, teardown),
        cmocka_unit_test_setup_teardown(frame_buffers, setup, teardown),
        cmocka_unit_test_setup_teardown(claims_on_mdls, setup, teardown),
        cmocka_unit_test_setup_teardown(mappings, setup, teardown),
        cmocka_unit_test_setup_teardown(counters, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_of_every_shard, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(context, setup, teardown),
        cmocka_unit_test_setup_teardown(first_problem, setup, teardown),
        cmocka_unit_test_setup_teardown(digest, setup, teardown),
        cmocka_unit_test_setup_teardown(shape, setup, teardown),
        cmocka_unit_test_setup_teardown(slots_in_full, setup, teardown),
        cmocka_unit_test_setup_teardown(objects_in_full, setup, teardown),
        cmocka_unit_test_setup_teardown(adls_and_mappings_in_full, setup, teardown),
        cmocka_unit_test_setup_teardown(pinned_for_an_mdl, setup, teardown),
        cmocka_unit_test_setup_teardown(adapters_in_full, setup, teardown),
        cmocka_unit_test_setup_teardown(rooms_in_full, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_in_full, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
