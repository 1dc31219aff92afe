/* SPDX-License-Identifier: MIT */
/*
 * A profile: what an implementation decided where Windows leaves the choice. A provider declares it,
 * the model predicts by it.
 *
 * What Windows documents is no choice. Mistakes that its pages name are refused by every
 * implementation; a profile that says otherwise is not taken.
 *
 * Source of every rule here: our decision.
 */
#ifndef DXGKMEM_PROFILE_H
#define DXGKMEM_PROFILE_H

#include <dxgkmem/dxgkmem.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an implementation does about a mistake of the driver. */
enum dxgkmem_answer {
    /* The call fails with the status, if it has one, and changes nothing. status 0: any that is an error. */
    DXGKMEM_ANSWER_REFUSE,
    /* It is not looked for; what happens then is undefined. No such call is made. */
    DXGKMEM_ANSWER_UNCHECKED,
    /* Goes on as if nothing were wrong. Of reserved_bits, irql_too_high, misaligned_arguments and wrong_wddm_level only. */
    DXGKMEM_ANSWER_IGNORE,
    /*
     * What is in the way is ended, and the call carried out. Of close_with_live_adl (the ADLs are freed),
     * destroy_while_open (it is closed), destroy_with_live_mapping (they are unmapped), adl_scribbled, and
     * of what is left at a removal, at the end of a process and at the stop.
     */
    DXGKMEM_ANSWER_CARRY_OUT
};

/*
 * The answer to one mistake in one callback. The names of mistakes are those of violations.h, and
 * when each is one, src/core/CONTRACT.md says. Where several rules fit, one that names both call and
 * mistake goes before one that names the mistake, that before one that names the call.
 */
struct dxgkmem_profile_rule {
    enum dxgkmem_call call;              /* DXGKMEM_CALL_NONE: every one */
    enum dxgkmem_violation_code mistake; /* DXGKMEM_VIOLATION_NONE: every one */
    enum dxgkmem_answer answer;
    NTSTATUS status;
};

/* How violations are reported to dxgkmem_config.violation. */
enum dxgkmem_profile_reports {
    DXGKMEM_REPORTS_FULL,  /* with everything that struct dxgkmem_violation has */
    DXGKMEM_REPORTS_CODES, /* code and call; the rest is not looked at */
    DXGKMEM_REPORTS_NONE   /* not at all */
};

/* What a call that failed leaves in its out fields. Fields that are in and out keep what they had, or anything. */
enum dxgkmem_profile_outputs { DXGKMEM_OUTPUTS_ZERO, DXGKMEM_OUTPUTS_KEPT, DXGKMEM_OUTPUTS_ANYTHING };

/* Which Size MAP returns, and UNMAP wants. */
enum dxgkmem_profile_map {
    DXGKMEM_MAP_PAGES, /* of the whole pages that the range touches */
    DXGKMEM_MAP_ASKED, /* as asked */
    DXGKMEM_MAP_OBJECT /* the whole object is mapped: its size in whole pages; Offset comes back as asked */
};

#define DXGKMEM_PROFILE_STATUSES 4

/* All zero: as dxgkmem does. Every member that is not zero is a difference. */
struct dxgkmem_profile {
    const struct dxgkmem_profile_rule *rule;
    unsigned rules;
    /* A call with several mistakes may be refused for any of them, not only for the first in the contract's order. */
    bool any_order;
    enum dxgkmem_profile_reports reports;
    enum dxgkmem_profile_outputs outputs;
    enum dxgkmem_profile_map map;
    /* MAP goes to the end of the last page, not to the byte that was asked for at CREATE. */
    bool map_to_page_end;
    /* What calls return when something ran out, in place of those of the contract. 0: unused. */
    NTSTATUS exhausted[DXGKMEM_PROFILE_STATUSES];
    /* Quotas and the limits of struct dxgkmem_limits are not kept. */
    bool no_limits;
    /* A handle's value may be given out again after it ended. */
    bool reuses_handles;
    /* Logical pages of remapped ADLs keep to the highest visible address, and not to CREATE's bounds. */
    bool logical_unbounded;
    /* An ADL of neighbouring pages may be contiguous without a wish, or be an array in spite of a PreferContiguous. */
    bool contiguous_at_will;
    /* A device may write to sections that are read-only for the CPU. */
    bool device_writes_sections;
    /* dxgkmem_stop's counts are not filled in. */
    bool no_leaks;
    /* Members of the interface that are not offered may be NULL. They are not called. */
    bool empty_members;
};

#ifdef __cplusplus
}
#endif

#endif
