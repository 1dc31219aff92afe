/* SPDX-License-Identifier: MIT */
/*
 * The state of instance and machine against the model, looked at from outside
 * after every operation. What lives is walked only when the machine changed.
 */
#include "machine.h"

/* -- tables of one sweep ------------------------------------------------------------- */

/* The entry of a key, or the free one where it belongs. */
static struct runner_seen *seen(const struct runner *runner, struct runner_seen *table, uint64_t key)
{
    uint64_t at = key * 0x9e3779b97f4a7c15u >> 40;

    for (;; at++) {
        struct runner_seen *entry = &table[at % RUNNER_SEEN];

        if (entry->epoch != runner->epoch || entry->key == key)
            return entry;
    }
}

/* The value noted for the key, which is the given one when it was not noted yet. */
static uint64_t note(const struct runner *runner, struct runner_seen *table, uint64_t key, uint64_t value)
{
    struct runner_seen *entry = seen(runner, table, key);

    if (entry->epoch != runner->epoch)
        *entry = (struct runner_seen){.key = key, .value = value, .epoch = runner->epoch};
    return entry->value;
}

static const char two_places[] = "a physical page belongs to two places";
static const char two_pages[] = "one page of an object is two physical pages";

#define MEMORY_SHIFT 40 /* pages of a memory are fewer */

/* A physical page is one page of one memory, and the other way round. *invariant: of a wrong page's. */
static const char *check_owner(struct runner *runner, uint32_t memory, uint64_t page, uint64_t physical,
                               unsigned *invariant)
{
    uint64_t where = (uint64_t)memory << MEMORY_SHIFT ^ page, other;
    unsigned wrong_page = *invariant;

    if (runner->seen_pages >= RUNNER_SEEN / 2)
        return NULL;
    runner->seen_pages++;
    other = note(runner, runner->seen_page, physical, where);
    *invariant = other >> MEMORY_SHIFT == where >> MEMORY_SHIFT ? wrong_page : 4;
    if (other != where)
        return two_places;
    *invariant = wrong_page;
    if (note(runner, runner->seen_place, where, physical) != physical)
        return two_pages;
    return NULL;
}

/* -- ADLs ------------------------------------------------------------------------------ */

/* What all devices of the chain reach there; NULL: the same page, with the right access. */
static const char *check_reach(struct runner *runner, const struct model_live_adl *adl, uint64_t page,
                               uint64_t *physical, unsigned *invariant)
{
    struct dxgkmem_sim_translation translation;

    for (unsigned i = 0; i < adl->device_count; i++) {
        *invariant = i == 0 ? 5 : 13;
        if (!runner->provider->device_page(runner->sim, adl->devices[i], runner_logical_page(adl, page),
                                           &translation))
            return "a device of the adapter does not reach it";
        if (i > 0 && translation.page != *physical)
            return "linked devices reach different memory";
        *physical = translation.page;
        *invariant = 11;
        if (translation.access != adl->access)
            return "the device has the wrong access";
    }
    return NULL;
}

/* Whether the physical page is one that CREATE's constraints allow. `first`: that of the ADL's page 0. */
static const char *check_bounds(struct runner *runner, const struct model_live_adl *adl, uint64_t page,
                                uint64_t physical, uint64_t first, unsigned *invariant)
{
    uint64_t place = adl->first_page + page;
    bool io = adl->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE;
    bool mdl = adl->type == DXGK_PHYSICAL_MEMORY_TYPE_MDL;

    *invariant = 4;
    if (io ? machine_touches_ram(runner, (struct dxgkmem_run){physical, 1})
           : OFFERS(runner, is_allocated) && !runner->provider->is_allocated(runner->sim, physical))
        return io ? "I/O space that is RAM" : "its physical page is not allocated";
    *invariant = 6;
    if (!adl->remapped && physical != runner_logical_page(adl, page))
        return "remapped without remapping";
    if (io)
        return physical != place ? "another page than that of the I/O range" : NULL;
    *invariant = 7;
    if (adl->type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION)
        return NULL;
    if (physical < adl->lowest_page || (physical > adl->highest_page && adl->skip_pages == 0))
        return "its physical page is out of the bounds of the create";
    if (mdl && adl->chunk_pages != 0 && adl->chunk_pages != DXGKMEM_CHUNK_WHOLE)
        return physical % adl->chunk_pages != place % adl->chunk_pages ? "not in an aligned block" : NULL;
    if ((!mdl || adl->chunk_pages == DXGKMEM_CHUNK_WHOLE) && physical != first + page)
        return "its object is not one block";
    if (!mdl && adl->boundary_pages != 0 && physical / adl->boundary_pages != first / adl->boundary_pages)
        return "its block crosses the boundary";
    return NULL;
}

/* Adds an ADL's pages to what its devices must reach in all. */
static void count_reach(struct runner *runner, const struct model_live_adl *adl)
{
    struct runner_reach *reach;
    uint64_t device;

    if (adl->device_count == 0)
        return;
    device = adl->devices[0]; /* stands for the chain: the ADLs of a chain have the same devices */
    reach = &runner->reach[device % DXGKMEM_SIM_DEVICES];
    for (unsigned i = 0; i < adl->device_count; i++)
        runner->reach[adl->devices[i] % DXGKMEM_SIM_DEVICES].as = (uint8_t)device;
    if (adl->remapped) {
        reach->pages += adl->pages;
        return;
    }
    if (adl->pages > RUNNER_SEEN / 2 - runner->seen_logical || !runner_knows_page(adl, adl->pages - 1)) {
        reach->inexact = true; /* ADLs of an identity domain may overlap; these are too many to count */
        return;
    }
    for (uint64_t page = 0; page < adl->pages; page++) {
        uint64_t key = device << 56 ^ runner_logical_page(adl, page);
        struct runner_seen *entry = seen(runner, runner->seen_reach, key);

        if (entry->epoch == runner->epoch)
            continue;
        *entry = (struct runner_seen){.key = key, .epoch = runner->epoch};
        runner->seen_logical++;
        reach->pages++;
    }
}

static bool sweep_adl(struct runner *runner, const struct model_live_adl *adl)
{
    uint64_t page, physical = 0, first = 0;
    unsigned invariant = 5;
    const char *wrong = NULL;

    count_reach(runner, adl);
    if (!OFFERS(runner, device_page))
        return true;
    for (unsigned k = 0; runner_pick(runner, adl->pages, k, &page) && adl->device_count > 0; k++) {
        if (!runner_knows_page(adl, page))
            continue;
        wrong = check_reach(runner, adl, page, &physical, &invariant);
        if (page == 0)
            first = physical;
        if (wrong == NULL)
            wrong = check_bounds(runner, adl, page, physical, first, &invariant);
        if (wrong == NULL)
            invariant = 6;
        if (wrong == NULL)
            wrong = check_owner(runner, adl->memory, adl->first_page + page, physical, &invariant);
        if (wrong != NULL) {
            runner_find_at(runner, invariant, PROGRAM_ADL, runner_pointer(adl->handed_out), page, wrong);
            return false;
        }
    }
    return true;
}

static bool sweep_adls(struct runner *runner)
{
    struct model_live_adl adl;
    uint64_t stale_of, stale_page;
    size_t cursor = 0;

    for (unsigned device = 0; device < DXGKMEM_SIM_DEVICES; device++)
        runner->reach[device] = (struct runner_reach){.as = (uint8_t)device};
    while (model_next_adl(runner->model, &cursor, &adl))
        if (!sweep_adl(runner, &adl))
            return false;
    for (unsigned device = 0; device < DXGKMEM_SIM_DEVICES && OFFERS(runner, device_pages); device++) {
        const struct runner_reach *reach = &runner->reach[runner->reach[device].as];
        struct writer *says;
        uint64_t pages;

        /* of the devices that never were an adapter's, one that goes round */
        if ((runner->devices >> device & 1) == 0 && device != runner->round % DXGKMEM_SIM_DEVICES)
            continue;
        pages = runner->provider->device_pages(runner->sim, device);
        if (pages == reach->pages || (reach->inexact && pages > reach->pages))
            continue;
        says = runner_find(runner, 5);
        write_text(says, ": device ");
        write_decimal(says, device);
        write_text(says, " reaches ");
        write_decimal(says, pages);
        write_text(says, " pages, expected ");
        write_decimal(says, reach->pages);
        return false;
    }
    if (OFFERS(runner, stale_iotlb) && runner->provider->stale_iotlb(runner->sim, &stale_of, &stale_page)) {
        runner_find_fact(runner, 5, RUNNER_FACT_IOTLB,
                         "the IOTLB holds a translation that the page table no longer has");
        return false;
    }
    return true;
}

/* -- CPU mappings ------------------------------------------------------------------------- */

static const char *check_mapped(struct runner *runner, const struct model_live_mapping *mapping,
                                uint64_t page, unsigned *invariant)
{
    uint64_t process = mapping->process != 0 ? mapping->process : runner->process;
    const uint8_t *address = mapping->base + (size_t)(page << DXGKMEM_PAGE_SHIFT);
    struct dxgkmem_sim_translation translation;

    *invariant = 10;
    if (!OFFERS(runner, cpu_page))
        return NULL;
    if (!runner->provider->cpu_page(runner->sim, process, address, &translation))
        return "the CPU does not reach it";
    *invariant = 11;
    if (translation.access != mapping->access)
        return "the CPU has the wrong access";
    if (translation.cache != mapping->cache)
        return "mapped with the wrong cache type";
    *invariant = 10;
    return check_owner(runner, mapping->memory, mapping->first_page + page, translation.page, invariant);
}

/* A process that did not make a user mapping sees what it has there itself, if anything. */
static const char *check_stranger(struct runner *runner, const struct model_live_mapping *mapping,
                                  unsigned *invariant)
{
    uint64_t stranger =
        (mapping->process + runner->round % (DXGKMEM_SIM_PROCESSES - 1)) % DXGKMEM_SIM_PROCESSES + 1;
    struct dxgkmem_sim_translation translation;
    uint32_t memory;
    uint64_t offset;

    if (mapping->process == 0 || !OFFERS(runner, cpu_page))
        return NULL;
    *invariant = 12;
    if (runner->provider->cpu_page(runner->sim, stranger, mapping->base, &translation) !=
        model_cpu_reach(runner->model, stranger, mapping->base, false, &memory, &offset))
        return "another process sees the user mapping";
    return NULL;
}

/* The processes whose mappings an operation may have changed; of the others one is counted, in turn. */
static unsigned may_map(const struct runner *runner)
{
    switch (runner->event.opcode) {
    case OP_MAP:
    case OP_UNMAP:
    case OP_EXIT:
    case OP_DESTROY:
    case OP_CONTIGUOUS:
    case OP_FREE_CONTIGUOUS:
    case OP_PAGES:
    case OP_FREE_PAGES:
    case OP_REMOVE:
        return runner->processes;
    default:
        return 0;
    }
}

static bool sweep_mappings(struct runner *runner)
{
    unsigned counted = may_map(runner);
    struct model_live_mapping mapping;
    uint16_t mappings[DXGKMEM_SIM_PROCESSES + 1] = {0};
    size_t cursor = 0;

    while (model_next_mapping(runner->model, &cursor, &mapping)) {
        unsigned invariant = 10;
        uint64_t last = mapping.pages - 1;
        const char *wrong = check_mapped(runner, &mapping, 0, &invariant);

        mappings[mapping.process]++;
        if (wrong == NULL && last != 0)
            wrong = check_mapped(runner, &mapping, last, &invariant);
        if (wrong == NULL)
            wrong = check_stranger(runner, &mapping, &invariant);
        if (wrong != NULL) {
            runner_find_at(runner, invariant, PROGRAM_MAPPING, runner_pointer(mapping.base), 0, wrong);
            if (wrong == two_places || wrong == two_pages)
                runner->result.finding.fact = RUNNER_FACT_ONE_TO_ONE;
            return false;
        }
    }
    for (unsigned process = 0; process <= DXGKMEM_SIM_PROCESSES && OFFERS(runner, mappings); process++) {
        if ((counted >> process & 1) == 0 && process != runner->round % (DXGKMEM_SIM_PROCESSES + 1))
            continue;
        if (runner->provider->mappings(runner->sim, process) == mappings[process])
            continue;
        runner_find_that(runner, 12,
                         process == 0 ? "the kernel has another number of mappings than were made"
                                      : "a process has another number of mappings than were made");
        return false;
    }
    return true;
}

/* -- all of it ------------------------------------------------------------------------------------ */

static uint64_t digest_of(struct runner *runner, const char **problem)
{
    struct dxgkmem_audit audit = {.problem = NULL};

    if (OFFERS(runner, audit))
        runner->provider->audit(&audit);
    *problem = audit.problem;
    runner->shape = audit.shape;
    return audit.digest * 0x9e3779b97f4a7c15u + machine_digest(runner);
}

void runner_note_state(struct runner *runner)
{
    struct dxgkmem_statistics statistics = {.pool_blocks = 0};
    const char *problem;

    runner->digest = digest_of(runner, &problem);
    if (OFFERS(runner, query_statistics))
        runner->provider->query_statistics(&statistics);
    runner->pool_blocks = statistics.pool_blocks;
    runner->pool_bytes = statistics.pool_bytes;
    machine_note_changes(runner);
}

static void check_statistics(struct runner *runner)
{
    struct dxgkmem_statistics now, expected;

    if (!OFFERS(runner, query_statistics))
        return;
    runner->provider->query_statistics(&now);
    model_statistics(runner->model, &expected);
    if (now.adapters != expected.adapters || now.objects != expected.objects ||
        now.adapter_objects != expected.adapter_objects || now.adls != expected.adls ||
        now.mappings != expected.mappings || now.frame_buffers != expected.frame_buffers ||
        now.memories != expected.memories)
        runner_find_that(runner, 14, "the statistics count other things than are alive");
    else if (now.pages != expected.pages)
        runner_find_that(runner, 14, "the statistics count other pages than live objects have");
    else if (now.calls != runner->numbered[0].count)
        runner_find_that(runner, 14, "the statistics count another number of calls");
    else if (now.violations != runner->violations_in_all)
        runner_find_that(runner, 14, "the statistics count another number of violations");
    else if (runner->outcome == RUNNER_REFUSED &&
             (now.pool_blocks != runner->pool_blocks || now.pool_bytes != runner->pool_bytes))
        runner_find_that(runner, 3, "it was refused and took or gave pool memory");
    runner->pool_blocks = now.pool_blocks;
    runner->pool_bytes = now.pool_bytes;
}

static void check_digest(struct runner *runner)
{
    const char *problem = NULL;
    uint64_t digest = digest_of(runner, &problem);

    if (problem != NULL)
        runner_find_that(runner, 14, problem);
    else if (digest != runner->digest && runner->outcome == RUNNER_REFUSED)
        runner_find_that(runner, 3, "it was refused and changed the state");
    else if (digest != runner->digest && runner->outcome == RUNNER_FAILED)
        runner_find_that(runner, 18, "it failed and changed the state");
    runner->digest = digest;
}

/* -- what the machine complains of ---------------------------------------------------------------- */

/* Whether the words are in the sentence. */
static bool mentions(const char *sentence, const char *words)
{
    for (; *sentence != '\0'; sentence++) {
        size_t i = 0;

        while (words[i] != '\0' && sentence[i] == words[i])
            i++;
        if (words[i] == '\0')
            return true;
    }
    return false;
}

/* A rule of host.h was broken; which invariant that rule is there for. The first words that fit count. */
static bool check_complaint(struct runner *runner)
{
    static const struct {
        const char *words;
        uint8_t invariant;
        enum runner_fact fact;
    } rules[] = {
        {"memory_zero", 8, RUNNER_FACT_NOT_ZERO},
        {"the IOTLB", 9, RUNNER_FACT_IOTLB},
        {"could reach", 9, RUNNER_FACT_OTHER},
        {"mapped twice", 5, RUNNER_FACT_OTHER},
        {"was not mapped", 5, RUNNER_FACT_OTHER},
        {"locked", 14, RUNNER_FACT_OTHER},
        {"CPU", 12, RUNNER_FACT_OTHER},
        {"belongs to no object", 4, RUNNER_FACT_OTHER},
        {"beyond the physical", 7, RUNNER_FACT_OTHER},
        {"attached", 13, RUNNER_FACT_OTHER},
        {"detached", 13, RUNNER_FACT_OTHER},
        {"destroyed twice", 1, RUNNER_FACT_OTHER},
        {"used after", 1, RUNNER_FACT_OTHER},
    };
    const char *complaint = OFFERS(runner, complaint) ? runner->provider->complaint(runner->sim) : NULL;
    size_t rule = 0;

    if (complaint == NULL)
        return true;
    while (rule < sizeof(rules) / sizeof(rules[0]) && !mentions(complaint, rules[rule].words))
        rule++;
    if (rule < sizeof(rules) / sizeof(rules[0]))
        runner_find_fact(runner, rules[rule].invariant, rules[rule].fact, complaint);
    else
        runner_find_that(runner, 9, complaint);
    return false;
}

static void check_machine(struct runner *runner)
{
    if (!machine_changed(runner))
        return;
    runner->epoch++;
    runner->round++;
    runner->seen_pages = runner->seen_logical = 0;
    if (!runner->again && (!sweep_adls(runner) || !sweep_mappings(runner)))
        return;
    for (unsigned i = 0; i < runner->ended && !runner_found(runner); i++)
        runner_probe(runner, &runner->thing[runner->ended_thing[i]]);
    for (unsigned i = 0; i < runner->made && !runner_found(runner); i++)
        runner_probe(runner, &runner->thing[runner->made_thing[i]]);
    runner_check_contents(runner);
    machine_note_changes(runner);
}

/*
 * What the device and the CPU can do with it comes first: it names the bug best.
 * Of a call that was refused or failed, that it changed anything says most.
 */
void runner_check_state(struct runner *runner)
{
    bool done = runner->outcome == RUNNER_DONE;

    machine_set_irql(runner, PASSIVE_LEVEL);
    if (!done && !runner->again)
        check_digest(runner);
    if (!runner_found(runner))
        check_machine(runner);
    if (!runner_found(runner) && check_complaint(runner) && !runner->again) {
        check_statistics(runner);
        if (done)
            check_digest(runner);
    }
    machine_set_irql(runner, runner->irql);
}

void runner_check_stopped(struct runner *runner)
{
    struct dxgkmem_statistics statistics = {.pool_blocks = 0};

    runner->shape = 0;
    if (!check_complaint(runner))
        return;
    if (OFFERS(runner, free_pages) && runner->provider->free_pages(runner->sim) != runner->here->free_pages)
        runner_find_that(runner, 14, "pages were not given back to the machine");
    else if (machine_digest(runner) != runner->here->digest)
        runner_find_that(runner, 14, "the machine is not as it was before the start");
    if (OFFERS(runner, query_statistics))
        runner->provider->query_statistics(&statistics);
    if (!runner_found(runner) && (statistics.pool_blocks != 0 || statistics.pool_bytes != 0))
        runner_find_that(runner, 14, "memory was not given back to the pool");
}
