/* SPDX-License-Identifier: MIT */
/* The machine, the instance, the adapters; the functions of kit.h that a life asks. */
#define _GNU_SOURCE
#include "kit.h"

#include <string.h>
#include <sys/mman.h>

struct dxgkmem_kit kit;

#define ADDRESS_BITS 40
#define LOW_PAGE 0x100u
#define IO_PAGE 0xe0000u
#define HIGH_PAGE 0x100000u /* 4 GB */
#define MEBIBYTE ((uint64_t)1 << 20)

static uint64_t or_else(uint64_t value, uint64_t fallback)
{
    return value != 0 ? value : fallback;
}

static uint64_t memory_pages(void)
{
    return or_else(dxgkmem_harness.memory_bytes, 64 * MEBIBYTE) >> DXGKMEM_PAGE_SHIFT;
}

/* -- making ------------------------------------------------------------------------------ */

static void lay_out_memory(struct dxgkmem_sim_config *config, bool high)
{
    uint64_t low = high ? MEBIBYTE >> DXGKMEM_PAGE_SHIFT : memory_pages();

    config->range[0] = (struct dxgkmem_sim_range){LOW_PAGE, low, false};
    config->range[1] = (struct dxgkmem_sim_range){IO_PAGE, DXGKMEM_KIT_IO_BYTES >> DXGKMEM_PAGE_SHIFT, true};
    config->ranges = 2;
    if (high)
        config->range[config->ranges++] = (struct dxgkmem_sim_range){HIGH_PAGE, memory_pages() - low, false};
}

const char *kit_world_make(const struct kit_world *world)
{
    struct dxgkmem_sim_config machine = {.address_bits = ADDRESS_BITS, .windows = &kit_windows};
    struct dxgkmem_config config = {.violation = kit_violation};

    if (memory_pages() < 4 * MEBIBYTE >> DXGKMEM_PAGE_SHIFT || memory_pages() > DXGKMEM_SIM_PAGE_LIMIT)
        return "memory_bytes is not between 4 MiB and 1 GiB";
    if (dxgkmem_harness.adapters > KIT_ADAPTERS)
        return "more adapters than a chain has";
    kit.world = *world;
    kit.adapters = dxgkmem_harness.adapters != 0 ? dxgkmem_harness.adapters : 1;
    kit.windows = dxgkmem_user_windows_create(ADDRESS_BITS);
    machine.windows_context = kit.windows;
    lay_out_memory(&machine, (world->contrary & DXGKMEM_KIT_HIGH) != 0);
    if (kit.windows == NULL || !NT_SUCCESS(dxgkmem_sim_create(&machine, &kit.sim)))
        return "the simulated machine cannot be made";
    config.machine = dxgkmem_sim_machine(kit.sim);
    dxgkmem_user_seed(1);
    if (!NT_SUCCESS(dxgkmem_start(&config)))
        return "the callbacks cannot be started";
    kit.interface_pages =
        mmap(NULL, KIT_ADAPTERS * 2 * KIT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (kit.interface_pages == MAP_FAILED)
        return "no memory for the interfaces";
    for (unsigned i = 0; i < KIT_ADAPTERS; i++)
        (void)mprotect(kit.interface_pages + (2 * i + 1) * KIT_PAGE, KIT_PAGE, PROT_NONE);
    return NULL;
}

void kit_world_free(void)
{
    dxgkmem_stop(NULL);
    dxgkmem_sim_destroy(kit.sim);
    dxgkmem_user_windows_destroy(kit.windows);
    (void)munmap(kit.interface_pages, KIT_ADAPTERS * 2 * KIT_PAGE);
    memset(&kit, 0, sizeof kit);
}

/* -- a life ------------------------------------------------------------------------------ */

static bool add_adapter(unsigned i)
{
    struct dxgkmem_adapter_config config = {.device = i, .version = kit.world.version};

    config.memory_caps.HighestVisibleAddress.QuadPart =
        (LONGLONG)or_else(dxgkmem_harness.visible, ((uint64_t)1 << ADDRESS_BITS) - 1);
    config.iommu_caps.DmaRemappingSupported = kit.world.remapped;
    config.remapping = kit.world.remapped ? DXGKMEM_REMAPPING_ALWAYS : DXGKMEM_REMAPPING_AUTO;
    config.frame_buffer_bytes = or_else(dxgkmem_harness.frame_buffer_bytes, MEBIBYTE);
    config.link_to = i == 0 ? NULL : kit.adapter[0];
    kit_operation(0);
    return NT_SUCCESS(dxgkmem_add_adapter(&config, &kit.adapter[i]));
}

/* The interface ends where its page ends, so that a member behind its Size cannot be read. */
DXGKRNL_INTERFACE *dxgkmem_kit_interface(struct dxgkmem_kit *of, unsigned adapter)
{
    size_t size = of->real[adapter < of->adapters ? adapter : 0].Size;
    unsigned char *end = of->interface_pages + (2 * (adapter < of->adapters ? adapter : 0) + 1) * KIT_PAGE;

    return (DXGKRNL_INTERFACE *)(void *)(end - size);
}

const char *kit_world_begin(void)
{
    dxgkmem_reset();
    dxgkmem_sim_reset(kit.sim);
    kit_callbacks_begin();
    for (unsigned i = 0; i < kit.adapters; i++) {
        memset(&kit.real[i], 0, sizeof kit.real[i]);
        kit.real[i].Size = sizeof kit.real[i];
        if (!add_adapter(i) || !NT_SUCCESS(dxgkmem_query_interface(kit.adapter[i], &kit.real[i])))
            return "the adapter cannot be added: its highest visible address or version does not fit";
        kit_callbacks_fill(i, dxgkmem_kit_interface(&kit, i));
    }
    wdk_begin();
    return NULL;
}

static void tell_complaint(void)
{
    const char *complaint = dxgkmem_sim_complaint(kit.sim);
    struct dxgkmem_audit audit;

    dxgkmem_audit(&audit);
    if (complaint != NULL || audit.problem != NULL)
        kit_find(&(struct kit_finding){.name = "inside"}, "the callbacks themselves broke a rule: %s",
                 complaint != NULL ? complaint : audit.problem);
}

static void end_adapter(unsigned i)
{
    if (kit.adapter[i] == NULL)
        return;
    kit_operation(0);
    (void)dxgkmem_remove_adapter(kit.adapter[i]);
    kit.adapter[i] = NULL;
}

/* Whether anything of the driver's lives, so that the instance must be ended to tell it. */
static bool something_left(void)
{
    struct dxgkmem_statistics statistics;

    dxgkmem_query_statistics(&statistics);
    return statistics.objects + statistics.adapter_objects + statistics.adls + statistics.mappings +
               statistics.frame_buffers + statistics.memories !=
           0;
}

void kit_world_end(bool left)
{
    wdk_end(left);
    if (left)
        return;
    tell_complaint();
    if (something_left()) {
        kit_operation(0);
        dxgkmem_stop(NULL);
        (void)dxgkmem_start(
            &(struct dxgkmem_config){.machine = dxgkmem_sim_machine(kit.sim), .violation = kit_violation});
    }
}

/* -- what a life asks --------------------------------------------------------------------- */

unsigned kit_irql(void)
{
    return dxgkmem_sim_machine(kit.sim)->ops->irql(dxgkmem_sim_machine(kit.sim));
}

void kit_set_irql(unsigned irql)
{
    dxgkmem_sim_set_irql(kit.sim, irql);
}

unsigned kit_process(void)
{
    return (unsigned)dxgkmem_sim_machine(kit.sim)->ops->process(dxgkmem_sim_machine(kit.sim));
}

void kit_set_process(unsigned process)
{
    dxgkmem_sim_set_process(kit.sim, process);
}

bool kit_physical(const void *address, uint64_t *physical)
{
    struct dxgkmem_sim_translation translation;

    if (!dxgkmem_sim_cpu_page(kit.sim, kit_process(), address, &translation))
        return false;
    *physical = (translation.page << DXGKMEM_PAGE_SHIFT) + ((uintptr_t)address & DXGKMEM_PAGE_MASK);
    return true;
}

unsigned dxgkmem_kit_choose(struct dxgkmem_kit *of, unsigned below)
{
    (void)of;
    return kit_choose(below);
}

bool dxgkmem_kit_remapped(const struct dxgkmem_kit *of)
{
    return of->world.remapped;
}

uint32_t dxgkmem_kit_version(const struct dxgkmem_kit *of)
{
    return of->world.version;
}

uint64_t dxgkmem_kit_io_base(const struct dxgkmem_kit *of)
{
    (void)of;
    return (uint64_t)IO_PAGE << DXGKMEM_PAGE_SHIFT;
}

void dxgkmem_kit_process(struct dxgkmem_kit *of, unsigned process)
{
    (void)of;
    kit_set_process(process);
}

void dxgkmem_kit_process_exit(struct dxgkmem_kit *of, unsigned process)
{
    (void)of;
    kit_operation(KIT_STACK_HERE());
    dxgkmem_process_exit(process);
}

void dxgkmem_kit_remove(struct dxgkmem_kit *of, unsigned adapter)
{
    if (adapter < of->adapters)
        end_adapter(adapter);
}

void dxgkmem_kit_registry(struct dxgkmem_kit *of, const char *name, uint32_t type, const void *data,
                          size_t bytes)
{
    (void)of;
    wdk_registry_add(name, type, data, bytes);
}

void dxgkmem_kit_run_pending(struct dxgkmem_kit *of)
{
    (void)of;
    wdk_run_pending();
}

void dxgkmem_kit_expect(struct dxgkmem_kit *of, bool so, const char *sentence)
{
    (void)of;
    if (!so)
        kit_find(&(struct kit_finding){.name = "expectation", .stack = KIT_STACK_HERE()}, "%s", sentence);
}
