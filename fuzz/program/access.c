/* SPDX-License-Identifier: MIT */
/*
 * Use of the memory: a device's DMA, the CPU's loads and stores, and a driver
 * that writes to an ADL it was given. Each access must do what the model says,
 * also through things that have ended.
 */
#include "machine.h"

#include <dxgkmem/mdl.h>

/* One access of eight bytes; how it is made differs, how it is judged does not. */
struct access {
    bool write;
    bool reached; /* it was carried out */
    bool reach;   /* the model: it must be */
    bool made;    /* false: the model cannot follow it */
    const struct runner_thing *through;
    uint64_t address;
    uint32_t memory; /* where the model says it goes */
    uint64_t offset;
    uint64_t value; /* written or read */
};

/* Before the access: whether the model can follow it. */
static void expect(struct runner *runner, struct access *access)
{
    access->made = !access->reach || access->memory != MODEL_MEMORY_UNKNOWN;
    if (!access->reach || !access->write || !access->made)
        return;
    access->made = model_write(runner->model, access->memory, access->offset, access->value);
    if (access->made)
        runner_note_word(runner, access->memory, access->offset);
}

static void judge(struct runner *runner, const struct access *access, unsigned invariant)
{
    uint64_t content;
    struct writer *says;

    runner->wanted[0] = !access->reach;
    runner->wanted[1] =
        access->reach && !access->write ? model_content(runner->model, access->memory, access->offset) : 0;
    if (access->reached != access->reach) {
        runner_find_that(runner, invariant,
                         access->reached ? "the access went through, it must fault"
                                         : "the access faulted, it must go through");
        return;
    }
    if (!access->reached || access->write)
        return;
    content = model_content(runner->model, access->memory, access->offset);
    if (access->value == content)
        return;
    says = runner_find(runner, content == 0 ? 8 : 10);
    write_text(says, " read ");
    write_hexadecimal(says, access->value);
    write_text(says, ", expected ");
    write_hexadecimal(says, content);
}

static void report(struct runner *runner, const struct access *access)
{
    runner->event.value[0] = !access->reached;
    runner->event.value[1] = access->reached ? access->value : 0;
    runner->event.values = access->write ? 1 : 2;
    runner->event.through = access->reached ? (unsigned)(access->through - runner->thing) + 1 : 0;
    runner->event.address = access->address;
}

/* The thing of this kind that an operand names, or NULL. */
static struct runner_thing *thing_of(struct runner *runner, unsigned operand)
{
    enum program_kind kind = program_operations[runner->line->opcode].operand[operand].kind;
    struct runner_value value = runner_resolve_class(runner, kind, runner_number(runner, operand));

    runner_note_passed(runner, operand, &value);
    return value.thing >= 0 && runner->thing[value.thing].kind == kind ? &runner->thing[value.thing] : NULL;
}

static bool dma(struct runner *runner, struct access *access, uint64_t device)
{
    return access->write ? runner->provider->dma_write(runner->sim, device, access->address, &access->value,
                                                       sizeof(access->value))
                         : runner->provider->dma_read(runner->sim, device, access->address, &access->value,
                                                      sizeof(access->value));
}

static bool cpu(struct runner *runner, struct access *access, void *address)
{
    return access->write ? machine_cpu_write(runner, address, &access->value)
                         : machine_cpu_read(runner, address, &access->value);
}

void runner_dma(struct runner *runner)
{
    uint8_t opcode = runner->line->opcode;
    struct access access = {.write = opcode == OP_DMA_WRITE || opcode == OP_MEMORY_WRITE, .value = 0};
    const struct runner_thing *adapter = thing_of(runner, DMA_ADAPTER);
    const struct runner_thing *adl = thing_of(runner, DMA_ADL);
    uint64_t device =
        adapter != NULL ? adapter->device : PROGRAM_VARIABLE_OF(runner_number(runner, DMA_ADAPTER));

    if (adl == NULL || (access.write ? !OFFERS(runner, dma_write) : !OFFERS(runner, dma_read))) {
        runner->event.skipped = true;
        return;
    }
    access.through = adl;
    access.address = (runner_adl_page(runner, adl, runner_number(runner, DMA_PAGE)) << DXGKMEM_PAGE_SHIFT) +
                     (runner_number(runner, DMA_OFFSET) & 0xff8);
    if (access.write)
        access.value = runner_number(runner, DMA_VALUE);
    if (runner->model != NULL) {
        access.reach = model_device_reach(runner->model, device, access.address, access.write, &access.memory,
                                          &access.offset);
        expect(runner, &access);
        if (!access.made) {
            runner->event.skipped = true;
            return;
        }
    }
    access.reached = dma(runner, &access, device);
    if (!access.reached && runner_was_refused(runner))
        access.reached = dma(runner, &access, device);
    report(runner, &access);
    if (runner->model != NULL)
        judge(runner, &access, 5);
}

void runner_cpu(struct runner *runner)
{
    struct access access = {.write = runner->line->opcode == OP_CPU_WRITE, .value = 0};
    const struct runner_thing *mapping = thing_of(runner, CPU_MAPPING);
    void *address;

    if (mapping == NULL) {
        runner->event.skipped = true;
        return;
    }
    access.through = mapping;
    access.address = mapping->value + (runner_number(runner, CPU_OFFSET) & ~(uint64_t)7);
    address = runner_handle(access.address);
    if (access.write)
        access.value = runner_number(runner, CPU_VALUE);
    if (runner->model != NULL) {
        access.reach = model_cpu_reach(runner->model, runner->process, address, access.write, &access.memory,
                                       &access.offset);
        expect(runner, &access);
        if (!access.made || !machine_can_read(runner, !access.reach)) {
            runner->event.skipped = true;
            return;
        }
    }
    access.reached = cpu(runner, &access, address);
    if (!access.reached && runner_was_refused(runner))
        access.reached = cpu(runner, &access, address);
    report(runner, &access);
    if (runner->model != NULL)
        judge(runner, &access, 10);
}

/* An implementation that takes the driver's word for what an ADL is must not be told lies. */
static bool may_scribble(const struct runner *runner)
{
    return runner->model == NULL || model_answer(runner->model, DXGKMEM_CALL_FREE_ADL,
                                                 DXGKMEM_VIOLATION_ADL_SCRIBBLED) != DXGKMEM_ANSWER_UNCHECKED;
}

void runner_scribble(struct runner *runner)
{
    const struct runner_thing *thing = thing_of(runner, SCRIBBLE_ADL);
    uint64_t value = runner_number(runner, SCRIBBLE_VALUE);
    DXGK_ADL *adl;

    if (thing == NULL || !thing->live || thing->mdl || !may_scribble(runner) ||
        (runner_number(runner, SCRIBBLE_FIELD) == PROGRAM_FIELD_ENTRY &&
         (thing->array == NULL || runner_is_gone(runner, (const void *)(uintptr_t)thing->array)))) {
        runner->event.skipped = true; /* only what is the driver's may be written */
        return;
    }
    adl = (DXGK_ADL *)(uintptr_t)thing->value;
    switch (runner_number(runner, SCRIBBLE_FIELD)) {
    case PROGRAM_FIELD_COUNT:
        adl->PageCount = (UINT32)value;
        break;
    case PROGRAM_FIELD_FLAGS:
        adl->Flags.Value = (UINT32)value;
        break;
    case PROGRAM_FIELD_BASE:
        adl->BasePageNumber = (DXGK_PAGE_NUMBER)value;
        break;
    default:
        ((DXGK_PAGE_NUMBER *)(uintptr_t)thing->array)[value % thing->pages] = (DXGK_PAGE_NUMBER)value;
        break;
    }
}

/* As above; of an MDL what it describes is its own, and where it is mapped is not. */
void runner_scribble_mdl(struct runner *runner)
{
    const struct runner_thing *thing = thing_of(runner, SCRIBBLE_MDL_MEMORY);
    uint64_t value = runner_number(runner, SCRIBBLE_MDL_VALUE);
    struct dxgkmem_mdl *mdl;

    if (thing == NULL || !thing->live || thing->array == NULL || thing->drivers ||
        runner_is_gone(runner, runner_mdl_of(thing))) {
        runner->event.skipped = true;
        return;
    }
    mdl = runner_mdl_of(thing);
    switch (runner_number(runner, SCRIBBLE_MDL_FIELD)) {
    case PROGRAM_MDL_COUNT:
        mdl->ByteCount = (ULONG)value;
        break;
    case PROGRAM_MDL_START:
        mdl->ByteOffset = (ULONG)value;
        break;
    default:
        dxgkmem_mdl_pages(mdl)[value % thing->pages] = (ULONG_PTR)value;
        break;
    }
}
