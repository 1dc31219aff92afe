/* SPDX-License-Identifier: MIT */
/* Questions about what is probably alive; see scope.h. */
#include "scope.h"

unsigned scope_chain(const struct scope *scope, uint8_t chain)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_ADAPTER] >> i & 1) && scope->adapter[i].chain == chain)
            mask |= 1u << i;
    }
    return mask;
}

bool scope_has_adl(const struct scope *scope, unsigned adapter_object)
{
    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_ADL] >> i & 1) && scope->adl[i].owner == adapter_object)
            return true;
    }
    return false;
}

bool scope_in_use(const struct scope *scope, unsigned object)
{
    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_MAPPING] >> i & 1) && scope->mapping[i].object == object)
            return true;
    }
    return scope->object[object].open && scope->object[object].opened != SCOPE_NONE &&
           scope_has_adl(scope, scope->object[object].opened);
}

unsigned scope_offering(const struct scope *scope)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_ADAPTER] >> i & 1) && scope->adapter[i].offers)
            mask |= 1u << i;
    }
    return mask;
}

unsigned scope_reachable_mappings(const struct scope *scope)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_MAPPING] >> i & 1) &&
            (!scope->mapping[i].process || scope->mapping[i].process == scope->process))
            mask |= 1u << i;
    }
    return mask;
}

uint8_t scope_end_of(uint8_t made)
{
    if (made == OP_MAP_MDL)
        return OP_UNMAP_MDL;
    return made == OP_PAGES ? OP_FREE_PAGES : OP_FREE_CONTIGUOUS;
}
