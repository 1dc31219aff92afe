/* SPDX-License-Identifier: MIT */
/* The forward scan: one function for each operation that makes or ends something. */
#include "scope.h"

#include "program/operands.h"
#include "program/world.h"

#define PAGE_MASK_BYTES ((uint64_t)0xfff)

static unsigned variable(const struct program_line *line, unsigned operand)
{
    return PROGRAM_VARIABLE_OF(line->operand[operand]);
}

static bool is_null(const struct program_line *line, unsigned operand)
{
    return PROGRAM_CLASS_OF(line->operand[operand]) == PROGRAM_NULL;
}

static void end(struct scope *scope, enum program_kind kind, unsigned which)
{
    if (kind == PROGRAM_ADL)
        scope->scribbled &= (uint16_t) ~(1u << which);
    scope->live[kind] &= (uint16_t) ~(1u << which);
}

static uint64_t highest_ram_byte(uint8_t world)
{
    const struct dxgkmem_sim_config *machine = &program_worlds[world % PROGRAM_WORLDS].machine;
    uint64_t highest = 0;

    for (unsigned i = 0; i < machine->ranges; i++) {
        if (!machine->range[i].io)
            highest = ((machine->range[i].page + machine->range[i].pages) << 12) - 1;
    }
    return highest;
}

/* The variable is about to name something else: what it named lives on without a name. */
static void forget(struct scope *scope, enum program_kind kind, unsigned which)
{
    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if (kind == PROGRAM_OBJECT && scope->adapter_object[i].object == which)
            scope->adapter_object[i].object = SCOPE_NONE;
        if (kind == PROGRAM_OBJECT && scope->mapping[i].object == which)
            scope->mapping[i].object = SCOPE_NONE;
        if (kind == PROGRAM_ADAPTER_OBJECT && scope->object[i].opened == which)
            scope->object[i].opened = SCOPE_NONE;
        if (kind == PROGRAM_MAPPING && scope->memory[i].mapping == which)
            scope->memory[i].mapping = SCOPE_NONE;
        if (kind == PROGRAM_MAPPING && scope->adapter[i].mapped == which)
            scope->adapter[i].mapped = SCOPE_LOST;
        if (kind == PROGRAM_ADAPTER_OBJECT && scope->adl[i].owner == which)
            scope->adl[i].owner = SCOPE_NONE;
    }
}

static unsigned bind(struct scope *scope, enum program_kind kind, const struct program_line *line,
                     unsigned operand)
{
    unsigned which = variable(line, operand);

    if (scope->bound[kind] >> which & 1) {
        forget(scope, kind, which);
        scope->rebound[kind] |= (uint16_t)(1u << which);
    }
    scope->bound[kind] |= (uint16_t)(1u << which);
    scope->live[kind] |= (uint16_t)(1u << which);
    return which;
}

static void close_adapter_object(struct scope *scope, unsigned which)
{
    unsigned object = scope->adapter_object[which].object;

    end(scope, PROGRAM_ADAPTER_OBJECT, which);
    if (object != SCOPE_NONE)
        scope->object[object].open = false;
}

static void end_memory(struct scope *scope, unsigned which)
{
    end(scope, PROGRAM_MEMORY, which);
    if (scope->memory[which].mapping != SCOPE_NONE)
        end(scope, PROGRAM_MAPPING, scope->memory[which].mapping);
}

static bool apply_add(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    unsigned linked = variable(line, ADD_LINK);
    uint8_t chain = scope->chains, index = 0;
    bool remapped =
        operand[ADD_REMAP] == PROGRAM_REMAP_ALWAYS || operand[ADD_VISIBLE] < highest_ram_byte(scope->world);
    bool claims = operand[ADD_REMAP] != PROGRAM_REMAP_UNSUPPORTED && operand[ADD_WDDM] >= PROGRAM_WDDM_3_0;

    if (!is_null(line, ADD_LINK)) {
        if (!scope_is_live(scope, PROGRAM_ADAPTER, operand[ADD_LINK]) ||
            scope->adapter[linked].wddm != operand[ADD_WDDM])
            return false;
        chain = scope->adapter[linked].chain;
        remapped = scope->adapter[linked].remapped;
        for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
            if ((scope->bound[PROGRAM_ADAPTER] >> i & 1) && scope->adapter[i].chain == chain)
                index++;
        }
    }
    if (operand[ADD_FRAME_BUFFER] & PAGE_MASK_BYTES)
        return false;
    if (operand[ADD_REMAP] == PROGRAM_REMAP_UNSUPPORTED &&
        operand[ADD_VISIBLE] < highest_ram_byte(scope->world))
        return false;

    struct scope_adapter *adapter = &scope->adapter[bind(scope, PROGRAM_ADAPTER, line, ADD_ADAPTER)];
    *adapter = (struct scope_adapter){.wddm = (uint8_t)operand[ADD_WDDM],
                                      .chain = chain,
                                      .index = index,
                                      .mapped = SCOPE_NONE,
                                      .remapped = remapped,
                                      .offers = operand[ADD_WDDM] >= PROGRAM_WDDM_2_4 && !remapped && !claims,
                                      .frame_buffer = operand[ADD_FRAME_BUFFER]};
    if (chain == scope->chains)
        scope->chains++;
    return true;
}

static bool apply_remove(struct scope *scope, const struct program_line *line)
{
    unsigned which = variable(line, REMOVE_ADAPTER);
    uint8_t chain = scope->adapter[which].chain;

    if (!scope_is_live(scope, PROGRAM_ADAPTER, line->operand[REMOVE_ADAPTER]))
        return false;
    end(scope, PROGRAM_ADAPTER, which);
    if (scope->adapter[which].mapped < PROGRAM_VARIABLES)
        end(scope, PROGRAM_MAPPING, scope->adapter[which].mapped);
    bool last = !scope_chain(scope, chain);
    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if ((scope->live[PROGRAM_ADL] >> i & 1) && scope->adl[i].chain == chain &&
            (last || scope->adl[i].frame_buffer))
            end(scope, PROGRAM_ADL, i);
        if (last && (scope->live[PROGRAM_ADAPTER_OBJECT] >> i & 1) && scope->adapter_object[i].chain == chain)
            close_adapter_object(scope, i);
        if (last && (scope->live[PROGRAM_MEMORY] >> i & 1) && scope->memory[i].chain == chain)
            end_memory(scope, i);
    }
    return true;
}

static bool create_fits(const struct scope *scope, const uint64_t *operand)
{
    uint64_t size = operand[CREATE_SIZE];
    bool bounded =
        operand[CREATE_TYPE] == PROGRAM_TYPE_MDL || operand[CREATE_TYPE] == PROGRAM_TYPE_CONTIGUOUS;

    if (!size || size > (scope->world == WORLD_TINY ? 0x20000u : 0x4000000u) ||
        operand[CREATE_CACHE] == PROGRAM_CACHE_INVALID || operand[CREATE_TYPE] == PROGRAM_TYPE_INVALID)
        return false;
    if (bounded && operand[CREATE_LOW] > operand[CREATE_HIGH])
        return false;
    switch (operand[CREATE_TYPE]) {
    case PROGRAM_TYPE_MDL:
        return !(operand[CREATE_FLAGS] & ~(uint64_t)0x3f) && !(operand[CREATE_SKIP] & PAGE_MASK_BYTES);
    case PROGRAM_TYPE_CONTIGUOUS:
        return !(operand[CREATE_BOUNDARY] & (operand[CREATE_BOUNDARY] - 1)) &&
               (!operand[CREATE_BOUNDARY] || operand[CREATE_BOUNDARY] >= size);
    case PROGRAM_TYPE_SECTION:
        return operand[CREATE_CACHE] != PROGRAM_CACHE_NONCACHED &&
               operand[CREATE_PROTECTION] != PROGRAM_PROTECTION_INVALID &&
               !(operand[CREATE_ATTRIBUTES] & ~(uint64_t)SEC_COMMIT);
    default:
        return !((size | operand[CREATE_BASE]) & PAGE_MASK_BYTES) && operand[CREATE_BASE];
    }
}

static bool may_open(const struct scope *scope, uint64_t adapter)
{
    return scope_is_live(scope, PROGRAM_ADAPTER, adapter) &&
           scope->adapter[PROGRAM_VARIABLE_OF(adapter)].wddm >= PROGRAM_WDDM_2_9;
}

static void open_object(struct scope *scope, const struct program_line *line, unsigned bound, unsigned object,
                        unsigned adapter)
{
    unsigned which = bind(scope, PROGRAM_ADAPTER_OBJECT, line, bound);

    scope->adapter_object[which].object = (uint8_t)object;
    scope->adapter_object[which].chain = scope->adapter[adapter].chain;
    scope->object[object].open = true;
    scope->object[object].opened = (uint8_t)which;
}

static bool apply_create(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;

    if (!create_fits(scope, operand) ||
        (!is_null(line, CREATE_ADAPTER) && !may_open(scope, operand[CREATE_ADAPTER])))
        return false;

    unsigned which = bind(scope, PROGRAM_OBJECT, line, CREATE_OBJECT);
    scope->object[which].type = (uint8_t)operand[CREATE_TYPE];
    scope->object[which].open = false;
    scope->object[which].size = operand[CREATE_SIZE];
    if (!is_null(line, CREATE_ADAPTER))
        open_object(scope, line, CREATE_ADAPTER_OBJECT, which, variable(line, CREATE_ADAPTER));
    return true;
}

static bool apply_destroy(struct scope *scope, const struct program_line *line)
{
    unsigned object = variable(line, DESTROY_OBJECT), with = variable(line, DESTROY_WITH);

    if (!scope_is_live(scope, PROGRAM_OBJECT, line->operand[DESTROY_OBJECT]) || scope_in_use(scope, object))
        return false;
    if (is_null(line, DESTROY_WITH)) {
        if (scope->object[object].open)
            return false;
    } else {
        if (!scope_is_live(scope, PROGRAM_ADAPTER_OBJECT, line->operand[DESTROY_WITH]) ||
            scope->adapter_object[with].object != object)
            return false;
        close_adapter_object(scope, with);
    }
    end(scope, PROGRAM_OBJECT, object);
    return true;
}

static bool apply_open(struct scope *scope, const struct program_line *line)
{
    unsigned object = variable(line, OPEN_OBJECT);

    if (!scope_is_live(scope, PROGRAM_OBJECT, line->operand[OPEN_OBJECT]) || scope->object[object].open ||
        !may_open(scope, line->operand[OPEN_ADAPTER]))
        return false;
    open_object(scope, line, OPEN_ADAPTER_OBJECT, object, variable(line, OPEN_ADAPTER));
    return true;
}

static bool apply_close(struct scope *scope, const struct program_line *line)
{
    unsigned which = variable(line, CLOSE_ADAPTER_OBJECT);

    if (!scope_is_live(scope, PROGRAM_ADAPTER_OBJECT, line->operand[CLOSE_ADAPTER_OBJECT]) ||
        scope_has_adl(scope, which))
        return false;
    close_adapter_object(scope, which);
    return true;
}

static bool apply_map(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    const struct scope_object *object = &scope->object[variable(line, MAP_OBJECT)];

    if (!scope_is_live(scope, PROGRAM_OBJECT, operand[MAP_OBJECT]) ||
        operand[MAP_MODE] == PROGRAM_MODE_INVALID ||
        (object->type == PROGRAM_TYPE_IO && operand[MAP_MODE] == PROGRAM_MODE_USER) || !operand[MAP_SIZE] ||
        operand[MAP_OFFSET] > object->size || operand[MAP_SIZE] > object->size - operand[MAP_OFFSET])
        return false;

    struct scope_mapping *mapping = &scope->mapping[bind(scope, PROGRAM_MAPPING, line, MAP_MAPPING)];
    mapping->object = (uint8_t)variable(line, MAP_OBJECT);
    mapping->process = operand[MAP_MODE] == PROGRAM_MODE_USER ? scope->process : 0;
    mapping->size = operand[MAP_SIZE];
    return true;
}

static bool apply_unmap(struct scope *scope, const struct program_line *line)
{
    unsigned which = variable(line, UNMAP_MAPPING);

    if (!scope_is_live(scope, PROGRAM_OBJECT, line->operand[UNMAP_OBJECT]) ||
        !scope_is_live(scope, PROGRAM_MAPPING, line->operand[UNMAP_MAPPING]) ||
        scope->mapping[which].object != variable(line, UNMAP_OBJECT) || line->operand[UNMAP_EXTRA] ||
        line->operand[UNMAP_SHIFT] || !(scope_reachable_mappings(scope) >> which & 1))
        return false;
    end(scope, PROGRAM_MAPPING, which);
    return true;
}

static bool apply_adl(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    unsigned owner = variable(line, ADL_ADAPTER_OBJECT);

    if (!scope_is_live(scope, PROGRAM_ADAPTER_OBJECT, operand[ADL_ADAPTER_OBJECT]))
        return false;
    unsigned object = scope->adapter_object[owner].object;
    if (object != SCOPE_NONE) {
        uint64_t size = (scope->object[object].size + PAGE_MASK_BYTES) & ~PAGE_MASK_BYTES;
        bool block = scope->object[object].type == PROGRAM_TYPE_CONTIGUOUS ||
                     scope->object[object].type == PROGRAM_TYPE_IO;
        if (operand[ADL_OFFSET] > size || operand[ADL_SIZE] > size - operand[ADL_OFFSET] ||
            ((operand[ADL_FLAGS] & 1) && !block))
            return false;
    }
    if (!operand[ADL_SIZE] || ((operand[ADL_SIZE] | operand[ADL_OFFSET]) & PAGE_MASK_BYTES) ||
        operand[ADL_FLAGS] > 3)
        return false;

    struct scope_adl *adl = &scope->adl[bind(scope, PROGRAM_ADL, line, ADL_ADL)];
    *adl = (struct scope_adl){.owner = (uint8_t)owner,
                              .chain = scope->adapter_object[owner].chain,
                              .pages = operand[ADL_SIZE] >> 12};
    scope->scribbled &= (uint16_t) ~(1u << (adl - scope->adl));
    return true;
}

static bool apply_free_adl(struct scope *scope, const struct program_line *line)
{
    unsigned which = variable(line, FREE_ADL_ADL);

    if (!scope_is_live(scope, PROGRAM_ADAPTER_OBJECT, line->operand[FREE_ADL_ADAPTER_OBJECT]) ||
        !scope_is_live(scope, PROGRAM_ADL, line->operand[FREE_ADL_ADL]) || line->operand[FREE_ADL_SHIFT] ||
        scope->adl[which].owner != variable(line, FREE_ADL_ADAPTER_OBJECT))
        return false;
    end(scope, PROGRAM_ADL, which);
    return true;
}

/* The adapter whose frame buffer a call names, or NULL. */
static struct scope_adapter *frame_buffer(struct scope *scope, uint64_t adapter, uint64_t index)
{
    unsigned lead = PROGRAM_VARIABLE_OF(adapter);

    if (!scope_is_live(scope, PROGRAM_ADAPTER, adapter))
        return NULL;
    struct scope_adapter *named = NULL;
    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        struct scope_adapter *other = &scope->adapter[i];
        if (!(scope->live[PROGRAM_ADAPTER] >> i & 1) || other->chain != scope->adapter[lead].chain)
            continue;
        if (other->index < scope->adapter[lead].index)
            return NULL;
        if (other->index == index)
            named = other;
    }
    return named;
}

static bool apply_pin(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    struct scope_adapter *adapter = frame_buffer(scope, operand[PIN_ADAPTER], operand[PIN_INDEX]);

    if (!adapter || adapter->pinned || !operand[PIN_SIZE] || (operand[PIN_SIZE] & PAGE_MASK_BYTES) ||
        operand[PIN_SIZE] > adapter->frame_buffer)
        return false;
    if (line->opcode == OP_PIN_MDL ? !adapter->offers
                                   : adapter->wddm < PROGRAM_WDDM_2_9 || operand[PIN_FLAGS] > 1)
        return false;
    adapter->pinned = true;
    struct scope_adl *adl = &scope->adl[bind(scope, PROGRAM_ADL, line, PIN_ADL)];
    *adl = (struct scope_adl){
        .owner = SCOPE_NONE, .chain = adapter->chain, .frame_buffer = true, .pages = operand[PIN_SIZE] >> 12};
    return true;
}

static bool apply_unpin(struct scope *scope, const struct program_line *line)
{
    struct scope_adapter *adapter =
        frame_buffer(scope, line->operand[UNPIN_ADAPTER], line->operand[UNPIN_INDEX]);

    if (!adapter || !adapter->pinned)
        return false;
    adapter->pinned = false;
    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if (scope->adl[i].frame_buffer && scope->adl[i].chain == adapter->chain)
            end(scope, PROGRAM_ADL, i);
    }
    return true;
}

static bool apply_map_fb(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    struct scope_adapter *adapter = frame_buffer(scope, operand[MAP_FB_ADAPTER], operand[MAP_FB_INDEX]);

    if (!adapter || !adapter->offers || adapter->mapped != SCOPE_NONE || !operand[MAP_FB_SIZE] ||
        ((operand[MAP_FB_SIZE] | operand[MAP_FB_OFFSET]) & PAGE_MASK_BYTES) ||
        operand[MAP_FB_OFFSET] > adapter->frame_buffer ||
        operand[MAP_FB_SIZE] > adapter->frame_buffer - operand[MAP_FB_OFFSET])
        return false;
    adapter->mapped = (uint8_t)bind(scope, PROGRAM_MAPPING, line, MAP_FB_MAPPING);
    scope->mapping[adapter->mapped] =
        (struct scope_mapping){.object = SCOPE_NONE, .size = operand[MAP_FB_SIZE]};
    return true;
}

static bool apply_unmap_fb(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    struct scope_adapter *adapter = frame_buffer(scope, operand[UNMAP_FB_ADAPTER], operand[UNMAP_FB_INDEX]);

    if (!adapter || !adapter->offers || operand[UNMAP_FB_SHIFT] ||
        !scope_is_live(scope, PROGRAM_MAPPING, operand[UNMAP_FB_MAPPING]) ||
        adapter->mapped != variable(line, UNMAP_FB_MAPPING))
        return false;
    end(scope, PROGRAM_MAPPING, adapter->mapped);
    adapter->mapped = SCOPE_NONE;
    return true;
}

/* Both kinds: what differs between them is what CREATE checks of its types. */
static bool memory_fits(const struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    uint64_t create[PROGRAM_OPERANDS] = {
        [CREATE_TYPE] = line->opcode == OP_PAGES ? PROGRAM_TYPE_MDL : PROGRAM_TYPE_CONTIGUOUS,
        [CREATE_SIZE] = operand[CONTIGUOUS_SIZE],
        [CREATE_CACHE] = operand[CONTIGUOUS_CACHE],
        [CREATE_LOW] = operand[CONTIGUOUS_LOW],
        [CREATE_HIGH] = operand[CONTIGUOUS_HIGH],
    };

    if (line->opcode == OP_CONTIGUOUS)
        create[CREATE_BOUNDARY] = operand[CONTIGUOUS_BOUNDARY];
    if (line->opcode == OP_PAGES) {
        create[CREATE_SKIP] = operand[PAGES_SKIP];
        create[CREATE_FLAGS] = operand[PAGES_FLAGS];
    }
    return create_fits(scope, create);
}

static bool apply_allocate(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    unsigned adapter = variable(line, CONTIGUOUS_ADAPTER);

    if (!scope_is_live(scope, PROGRAM_ADAPTER, operand[CONTIGUOUS_ADAPTER]) ||
        !scope->adapter[adapter].offers || !memory_fits(scope, line))
        return false;
    unsigned mapping = bind(scope, PROGRAM_MAPPING, line, CONTIGUOUS_MAPPING);
    scope->mapping[mapping] = (struct scope_mapping){.object = SCOPE_NONE, .size = operand[CONTIGUOUS_SIZE]};
    scope->memory[bind(scope, PROGRAM_MEMORY, line, CONTIGUOUS_MEMORY)] =
        (struct scope_memory){.chain = scope->adapter[adapter].chain,
                              .mapping = (uint8_t)mapping,
                              .made = line->opcode,
                              .pages = (operand[CONTIGUOUS_SIZE] + PAGE_MASK_BYTES) >> 12};
    return true;
}

static bool apply_map_mdl(struct scope *scope, const struct program_line *line)
{
    const uint64_t *operand = line->operand;
    unsigned adapter = variable(line, MAP_MDL_ADAPTER);

    if (!scope_is_live(scope, PROGRAM_ADAPTER, operand[MAP_MDL_ADAPTER]) || !scope->adapter[adapter].offers ||
        operand[MAP_MDL_MDL] != PROGRAM_MDL_GOOD || !operand[MAP_MDL_SIZE] ||
        operand[MAP_MDL_OFFSET] > PAGE_MASK_BYTES)
        return false;
    scope->memory[bind(scope, PROGRAM_MEMORY, line, MAP_MDL_MEMORY)] = (struct scope_memory){
        .chain = scope->adapter[adapter].chain,
        .mapping = SCOPE_NONE,
        .made = OP_MAP_MDL,
        .pages = (operand[MAP_MDL_OFFSET] + operand[MAP_MDL_SIZE] + PAGE_MASK_BYTES) >> 12};
    return true;
}

static bool apply_free(struct scope *scope, const struct program_line *line)
{
    unsigned which = variable(line, MEMORY_MEMORY), adapter = variable(line, MEMORY_ADAPTER);

    if (!scope_is_live(scope, PROGRAM_ADAPTER, line->operand[MEMORY_ADAPTER]) ||
        !scope_is_live(scope, PROGRAM_MEMORY, line->operand[MEMORY_MEMORY]) ||
        !scope->adapter[adapter].offers || scope->memory[which].chain != scope->adapter[adapter].chain ||
        scope_end_of(scope->memory[which].made) != line->opcode)
        return false;
    end_memory(scope, which);
    return true;
}

static bool apply_exit(struct scope *scope, const struct program_line *line)
{
    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        if (scope->mapping[i].process && scope->mapping[i].process == line->operand[CONDITION_VALUE])
            end(scope, PROGRAM_MAPPING, i);
    }
    return true;
}

static bool apply_stop(struct scope *scope)
{
    for (unsigned kind = 0; kind < PROGRAM_KINDS; kind++)
        scope->live[kind] = 0;
    scope->stopped = true;
    return true;
}

static bool apply_callback(struct scope *scope, const struct program_line *line)
{
    bool bad = scope->bad_arguments;

    scope->bad_arguments = false;
    if (bad || scope->stopped || scope->irql > APC_LEVEL)
        return false;
    switch (line->opcode) {
    case OP_CREATE:
        return apply_create(scope, line);
    case OP_DESTROY:
        return apply_destroy(scope, line);
    case OP_OPEN:
        return apply_open(scope, line);
    case OP_CLOSE:
        return apply_close(scope, line);
    case OP_MAP:
        return apply_map(scope, line);
    case OP_UNMAP:
        return apply_unmap(scope, line);
    case OP_ADL:
        return apply_adl(scope, line);
    case OP_FREE_ADL:
        return apply_free_adl(scope, line);
    case OP_PIN:
    case OP_PIN_MDL:
        return apply_pin(scope, line);
    case OP_UNPIN:
        return apply_unpin(scope, line);
    case OP_MAP_FB:
        return apply_map_fb(scope, line);
    case OP_UNMAP_FB:
        return apply_unmap_fb(scope, line);
    case OP_CONTIGUOUS:
    case OP_PAGES:
        return apply_allocate(scope, line);
    case OP_FREE_CONTIGUOUS:
    case OP_FREE_PAGES:
    case OP_UNMAP_MDL:
        return apply_free(scope, line);
    case OP_MAP_MDL:
        return apply_map_mdl(scope, line);
    default:
        return false;
    }
}

bool scope_apply(struct scope *scope, const struct program_line *line)
{
    bool done;

    if (program_operations[line->opcode].role == PROGRAM_ROLE_CALLBACK) {
        done = apply_callback(scope, line);
        scope->callbacks++;
        scope->successes += done;
        return done;
    }
    switch (line->opcode) {
    case OP_ADD:
        return !scope->stopped && apply_add(scope, line);
    case OP_REMOVE:
        return apply_remove(scope, line);
    case OP_EXIT:
        return apply_exit(scope, line);
    case OP_STOP:
        return apply_stop(scope);
    case OP_PROCESS:
        if (line->operand[CONDITION_VALUE] - 1 < DXGKMEM_SIM_PROCESSES)
            scope->process = (uint8_t)line->operand[CONDITION_VALUE];
        return true;
    case OP_IRQL:
        scope->irql = (uint8_t)(line->operand[CONDITION_VALUE] & 15);
        return true;
    case OP_SCRIBBLE:
        if (scope_is_live(scope, PROGRAM_ADL, line->operand[SCRIBBLE_ADL]))
            scope->scribbled |= (uint16_t)(1u << variable(line, SCRIBBLE_ADL));
        return true;
    case OP_SCRIBBLE_MDL:
        scope->memory[variable(line, SCRIBBLE_MDL_MEMORY)].scribbled = true;
        return true;
    case OP_ARGS:
        scope->bad_arguments = true;
        return true;
    default:
        return true;
    }
}

void scope_begin(struct scope *scope, uint8_t world)
{
    *scope = (struct scope){.world = world, .process = 1};
    for (unsigned i = 0; i < PROGRAM_VARIABLES; i++) {
        scope->adapter[i].mapped = SCOPE_NONE;
        scope->object[i].opened = SCOPE_NONE;
        scope->adapter_object[i].object = SCOPE_NONE;
        scope->adl[i].owner = SCOPE_NONE;
        scope->mapping[i].object = SCOPE_NONE;
        scope->memory[i].mapping = SCOPE_NONE;
    }
}

void scope_scan(struct scope *scope, const struct program *program, unsigned line)
{
    scope_begin(scope, program->world);
    for (unsigned i = 0; i < line && i < program->lines; i++)
        scope_apply(scope, &program->line[i]);
}
