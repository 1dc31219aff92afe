/* SPDX-License-Identifier: MIT */
#include "arguments.h"

PHYSICAL_ADDRESS physical(uint64_t address)
{
    return (PHYSICAL_ADDRESS){.QuadPart = (LONGLONG)address};
}

struct dxgkmem_sim_config sim_config(uint64_t page_limit)
{
    return (struct dxgkmem_sim_config){
        .range = {{0, RAM_LOW_END, false},
                  {IO_PAGE, IO_PAGES, true},
                  {RAM_HIGH, RAM_HIGHEST + 1 - RAM_HIGH, false}},
        .ranges = 3,
        .address_bits = ADDRESS_BITS,
        .page_limit = page_limit,
    };
}

struct dxgkmem_adapter_config adapter_identity(uint64_t device, uint32_t version)
{
    return (struct dxgkmem_adapter_config){
        .device = device,
        .version = version,
        .memory_caps.HighestVisibleAddress = physical(EVERY_ADDRESS),
        .frame_buffer_bytes = FRAME_BUFFER_PAGES * PAGE,
    };
}

struct dxgkmem_adapter_config adapter_remapped(uint64_t device, uint32_t version)
{
    struct dxgkmem_adapter_config config = adapter_identity(device, version);
    config.memory_caps.HighestVisibleAddress.QuadPart = 0xffffff;
    config.iommu_caps.DmaRemappingSupported = 1;
    config.remapping = DXGKMEM_REMAPPING_ALWAYS;
    return config;
}

static create_arguments any_arguments(HANDLE adapter, SIZE_T bytes, DXGK_PHYSICAL_MEMORY_TYPE type)
{
    return (create_arguments){
        .hAdapter = adapter,
        .Size = bytes,
        .Type = type,
        .CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED,
    };
}

create_arguments mdl_arguments(HANDLE adapter, SIZE_T bytes)
{
    create_arguments arguments = any_arguments(adapter, bytes, DXGK_PHYSICAL_MEMORY_TYPE_MDL);
    arguments.Mdl.HighAddress = physical(EVERY_ADDRESS);
    return arguments;
}

create_arguments contiguous_arguments(HANDLE adapter, SIZE_T bytes)
{
    create_arguments arguments = any_arguments(adapter, bytes, DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY);
    arguments.ContiguousMemory.HighestAcceptableAddress = physical(EVERY_ADDRESS);
    return arguments;
}

create_arguments section_arguments(HANDLE adapter, SIZE_T bytes, ULONG protection)
{
    create_arguments arguments = any_arguments(adapter, bytes, DXGK_PHYSICAL_MEMORY_TYPE_SECTION);
    arguments.Section.PageProtection = protection;
    return arguments;
}

create_arguments io_arguments(HANDLE adapter, uint64_t page, SIZE_T bytes)
{
    create_arguments arguments = any_arguments(adapter, bytes, DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE);
    arguments.CacheType = DXGK_MEMORY_CACHING_TYPE_NON_CACHED;
    arguments.IOSpace.BaseAddress = physical(page * DXGKMEM_PAGE_BYTES);
    return arguments;
}
