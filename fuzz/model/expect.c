/* SPDX-License-Identifier: MIT */
/*
 * Filling in an expectation: the checks at the beginning of every callback,
 * refusals with the status of their violation, and the resources that several
 * callbacks share (handles, quotas). What a callback checks itself is in its own file.
 */
#include "model_internal.h"

NTSTATUS model_violation_status(enum dxgkmem_violation_code code)
{
    static const NTSTATUS statuses[DXGKMEM_VIOLATION_COUNT] = {[DXGKMEM_VIOLATION_NONE] = STATUS_SUCCESS,
#define MODEL_STATUS(constant, name, status, sentence) [DXGKMEM_VIOLATION_##constant] = status,
                                                               DXGKMEM_VIOLATIONS(MODEL_STATUS)
#undef MODEL_STATUS
    };
    return statuses[code];
}

void model_expect_success(struct model_expectation *expectation)
{
    *expectation = (struct model_expectation){.status = STATUS_SUCCESS};
}

void model_refuse_after(struct model_expectation *expectation, enum dxgkmem_violation_code code,
                        uint64_t subject, uint64_t earlier, enum dxgkmem_call earlier_call)
{
    model_expect_success(expectation);
    expectation->violation = code;
    expectation->status = model_violation_status(code);
    expectation->documented = code == DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL;
    expectation->subject = subject;
    expectation->earlier_operation = earlier;
    expectation->earlier_call = earlier == 0 ? DXGKMEM_CALL_NONE : earlier_call;
}

void model_refuse(struct model_expectation *expectation, enum dxgkmem_violation_code code, uint64_t subject)
{
    model_refuse_after(expectation, code, subject, 0, DXGKMEM_CALL_NONE);
}

static bool high_irql_is_documented(const struct model *model)
{
    for (unsigned i = model->live_adapters != 0 ? model->adapters : 0; i-- > 0;) {
        const struct model_adapter *adapter = &model->adapter[i];
        if (adapter->life.live && adapter->chain->version >= DXGKDDI_INTERFACE_VERSION_WDDM3_2)
            return true;
    }
    return false;
}

bool model_begin(const struct model *model, const struct model_conditions *conditions,
                 struct model_expectation *expectation)
{
    model_expect_success(expectation);
    if (model->stopped)
        model_refuse(expectation, DXGKMEM_VIOLATION_NOT_STARTED, 0);
    else if (conditions->null_arguments)
        model_refuse(expectation, DXGKMEM_VIOLATION_NULL_ARGUMENTS, 0);
    else if (conditions->misaligned_arguments &&
             model_minds(model, DXGKMEM_CALL_NONE, DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS))
        model_refuse(expectation, DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS, 0);
    else if (conditions->irql > APC_LEVEL &&
             model_minds(model, DXGKMEM_CALL_NONE, DXGKMEM_VIOLATION_IRQL_TOO_HIGH)) {
        model_refuse(expectation, DXGKMEM_VIOLATION_IRQL_TOO_HIGH, 0);
        expectation->documented = high_irql_is_documented(model);
    }
    return expectation->violation == DXGKMEM_VIOLATION_NONE;
}

bool model_minds(const struct model *model, enum dxgkmem_call call, enum dxgkmem_violation_code code)
{
    return model->answer[call][code].answer != DXGKMEM_ANSWER_IGNORE;
}

enum dxgkmem_answer model_answer(const struct model *model, enum dxgkmem_call call,
                                 enum dxgkmem_violation_code mistake)
{
    return model->answer[call][mistake].answer;
}

void model_apply_profile(const struct model *model, enum dxgkmem_call call,
                         struct model_expectation *expectation)
{
    const struct profile_answer *answer = &model->answer[call][expectation->violation];

    if (expectation->violation == DXGKMEM_VIOLATION_NONE)
        return;
    expectation->answer = answer->answer;
    if (answer->answer == DXGKMEM_ANSWER_CARRY_OUT) {
        expectation->status = STATUS_SUCCESS;
    } else {
        expectation->any_status = answer->status == 0;
        if (answer->status != 0)
            expectation->status = answer->status;
    }
}

bool model_refuses_with(const struct model *model, enum dxgkmem_call call,
                        enum dxgkmem_violation_code mistake, NTSTATUS status)
{
    const struct profile_answer *answer = &model->answer[call][mistake];

    return answer->answer == DXGKMEM_ANSWER_REFUSE && (answer->status == status || answer->status == 0);
}

bool model_may_refuse_with(const struct model *model, enum dxgkmem_call call, NTSTATUS status)
{
    if (!model->profile.any_order)
        return false;
    for (unsigned mistake = 1; mistake < DXGKMEM_VIOLATION_COUNT; mistake++)
        if (model_refuses_with(model, call, (enum dxgkmem_violation_code)mistake, status))
            return true;
    return false;
}

void model_may_fail(struct model_expectation *expectation, NTSTATUS status)
{
    for (unsigned i = 0; i < 4; i++) {
        if (expectation->resource[i] == status)
            return;
        if (expectation->resource[i] == 0) {
            expectation->resource[i] = status;
            return;
        }
    }
}

void model_must_fail(struct model_expectation *expectation, NTSTATUS status)
{
    expectation->must_fail = true;
    model_may_fail(expectation, status);
}

/*
 * Live handles are bounded, and a slot that was used too often is retired. The
 * model sees no slots. It knows that the table is surely full when every use of
 * every slot was given out, and surely not worn when no slot can have been used
 * so often in one program; a refused call may use up a slot's generation too.
 */
bool model_handle_room(const struct model *model, unsigned needed, struct model_expectation *expectation)
{
    uint64_t limit = model->world.handles_limit, generations = model->world.generations_limit;

    if (limit == 0)
        return true;
    uint64_t given = (uint64_t)model->handles + needed;
    if ((uint64_t)model->live_handles + needed > limit || (generations != 0 && given > limit * generations)) {
        model_must_fail(expectation, STATUS_INSUFFICIENT_RESOURCES);
        return false;
    }
    if (generations != 0 && generations <= MODEL_HANDLES && given > limit)
        model_may_fail(expectation, STATUS_INSUFFICIENT_RESOURCES);
    return true;
}

bool model_chain_quota(const struct model_chain *chain, uint64_t pages, uint32_t objects, uint32_t adls,
                       struct model_expectation *expectation)
{
    if (chain->pages + pages <= chain->quota.pages &&
        (uint64_t)chain->objects + chain->areas + objects <= chain->quota.objects &&
        (uint64_t)chain->adls + adls <= chain->quota.adls)
        return true;
    model_must_fail(expectation, STATUS_QUOTA_EXCEEDED);
    return false;
}

const char *model_wrong(unsigned *invariant, unsigned number, const char *sentence)
{
    *invariant = number;
    return sentence;
}
