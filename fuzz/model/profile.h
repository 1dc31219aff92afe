/* SPDX-License-Identifier: MIT */
/* The meaning of a profile; see include/dxgkmem/profile.h. */
#ifndef DXGKMEM_MODEL_PROFILE_H
#define DXGKMEM_MODEL_PROFILE_H

#include <dxgkmem/profile.h>

/* What an implementation does about a mistake in a call. */
struct profile_answer {
    enum dxgkmem_answer answer;
    NTSTATUS status; /* of a refusal; 0: any error */
    bool any_error;  /* a rule said so, also of errors that are no mistake of a driver: those of adapters */
};
struct profile_answer profile_answer(const struct dxgkmem_profile *profile, enum dxgkmem_call call,
                                     enum dxgkmem_violation_code mistake);

/* Whether a call returns a status. */
bool profile_has_status(enum dxgkmem_call call);

/* What contradicts itself or the documentation, in the rule at a place, or outside rules. NULL: nothing. */
const char *profile_wrong_rule(const struct dxgkmem_profile *profile, unsigned at);
const char *profile_wrong_choice(const struct dxgkmem_profile *profile);

#endif
