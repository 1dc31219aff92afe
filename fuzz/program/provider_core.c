/* SPDX-License-Identifier: MIT */
/*
 * The provider of this project's own implementation: src/core on the simulated machine.
 */
#include "runner.h"

static NTSTATUS start(struct dxgkmem_sim *machine, const struct dxgkmem_config *config)
{
    struct dxgkmem_config on_machine = *config;

    on_machine.machine = dxgkmem_sim_machine(machine);
    return dxgkmem_start(&on_machine);
}

const struct dxgkmem_provider dxgkmem_provider_core = {
    .version = DXGKMEM_PROVIDER_VERSION,
    .size = sizeof(struct dxgkmem_provider),
    .name = "dxgkmem",
    DXGKMEM_PROVIDER_SIM,
    .start = start,
    .stop = dxgkmem_stop,
    .reset = dxgkmem_reset,
    .add_adapter = dxgkmem_add_adapter,
    .remove_adapter = dxgkmem_remove_adapter,
    .query_interface = dxgkmem_query_interface,
    .process_exit = dxgkmem_process_exit,
    .query_statistics = dxgkmem_query_statistics,
    .audit = dxgkmem_audit,
};
